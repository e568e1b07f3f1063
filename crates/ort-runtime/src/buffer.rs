//! Tensors that stay where they are, in the host's memory or in a device's.

use std::ptr::NonNull;

use ort::AsPointer;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::value::{DynTensor, TensorElementType};

/// Memory of a device, as ONNX Runtime names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeviceMemory {
    /// Of the allocator: `Cuda`.
    pub name: &'static str,
    /// Number of the device.
    pub device: u32,
}

/// Where a session's buffers come from.
pub(super) struct Memory {
    /// The operating system, not a session's arena: it goes back there with the buffer.
    host: Allocator,
    /// For providers with memory of their own.
    device: Option<Allocator>,
}

impl Memory {
    /// # Errors
    /// When the session has no such device.
    pub fn new(session: &ort::session::Session, device: Option<DeviceMemory>) -> ort::Result<Self> {
        let device = device.map(|memory| {
            let info = MemoryInfo::new(
                AllocationDevice::new(memory.name),
                // Numbers of devices are small.
                memory.device as i32,
                AllocatorType::Device,
                MemoryType::Default,
            )?;
            Allocator::new(session, info)
        });
        Ok(Self {
            host: Allocator::default(),
            device: device.transpose()?,
        })
    }

    /// A buffer for what the host reads and writes.
    ///
    /// # Errors
    /// When there is not that much memory.
    pub fn on_host(&self, element: TensorElementType, shape: &[usize]) -> ort::Result<Buffer> {
        Ok(Buffer {
            bound: Tensor::new(&self.host, element, shape)?,
            staged: None,
        })
    }

    /// A buffer for what the provider works on, with a copy on the host if it is `reached` from there.
    ///
    /// # Errors
    /// When there is not that much memory.
    pub fn on_device(
        &self,
        element: TensorElementType,
        shape: &[usize],
        reached: bool,
    ) -> ort::Result<Buffer> {
        let Some(device) = &self.device else {
            return self.on_host(element, shape);
        };
        let staged = reached.then(|| Tensor::new(&self.host, element, shape));
        Ok(Buffer {
            bound: Tensor::new(device, element, shape)?,
            staged: staged.transpose()?,
        })
    }

    /// A buffer of zeros for what the provider works on, out of the host's reach if it is on a device. They are those of
    /// `like`, another such buffer of this shape, where there is one: a device copies its own memory at a hundred times the
    /// rate of the way from the host.
    ///
    /// # Errors
    /// When there is not that much memory.
    pub fn zeros_on_device(
        &self,
        element: TensorElementType,
        shape: &[usize],
        like: Option<&Buffer>,
    ) -> ort::Result<Buffer> {
        // What is made for the host is zeros.
        let mut buffer = self.on_device(element, shape, like.is_none())?;
        match like {
            Some(like) if self.device.is_some() => like.bound.copy_into(&mut buffer.bound)?,
            _ => buffer.push()?,
        }
        buffer.staged = None;
        Ok(buffer)
    }
}

/// A tensor, and how it is copied.
pub(super) struct Tensor {
    pub typed: DynTensor,
    /// The same memory in another type, which owns it, where `ort` cannot copy the tensor's own: it copies between devices with
    /// a graph of one Identity, of an opset that has no bf16.
    copied: Option<DynTensor>,
}

impl Tensor {
    fn new(
        allocator: &Allocator,
        element: TensorElementType,
        shape: &[usize],
    ) -> ort::Result<Self> {
        let shape = shape_of(shape);
        if element != TensorElementType::Bfloat16 {
            return Ok(Self {
                typed: DynTensor::new(allocator, element, shape)?,
                copied: None,
            });
        }
        // As wide, and a copy does not look at the bits.
        let mut copied = DynTensor::new(allocator, TensorElementType::Float16, shape.clone())?;
        Ok(Self {
            typed: as_bf16(&mut copied, allocator, &shape)?,
            copied: Some(copied),
        })
    }

    fn copy_into(&self, target: &mut Self) -> ort::Result<()> {
        match (&self.copied, &mut target.copied) {
            (Some(from), Some(to)) => from.copy_into(to),
            _ => self.typed.copy_into(&mut target.typed),
        }
    }
}

/// A second tensor over the memory of one in fp16, which has to outlive it.
fn as_bf16(owner: &mut DynTensor, allocator: &Allocator, shape: &[i64]) -> ort::Result<DynTensor> {
    let bytes = shape.iter().product::<i64>() as usize * size_of::<u16>();
    let data = owner.data_ptr_mut();
    let info = owner.memory_info();
    let mut tensor = std::ptr::null_mut();
    // SAFETY: the memory has as many bytes, and [`Tensor`] drops it after the tensor.
    unsafe {
        let status = (ort::api().CreateTensorWithDataAsOrtValue)(
            info.ptr(),
            data,
            bytes,
            shape.as_ptr(),
            shape.len(),
            TensorElementType::Bfloat16.into(),
            &mut tensor,
        );
        ort::Error::result_from_status(status)?;
        let tensor =
            NonNull::new(tensor).ok_or_else(|| ort::Error::new("no tensor over the memory"))?;
        Ok(DynTensor::from_ptr(tensor, Some(allocator)))
    }
}

/// One tensor that is bound to a graph.
pub(super) struct Buffer {
    pub bound: Tensor,
    /// Its copy on the host, where that cannot reach it.
    staged: Option<Tensor>,
}

impl Buffer {
    /// Whether its size along every axis is that of `shape`.
    pub fn has_shape(&self, shape: &[usize]) -> bool {
        let own = self.bound.typed.shape();
        own.len() == shape.len() && own.iter().zip(shape).all(|(&own, &n)| own == n as i64)
    }

    /// What the host may write; [`Buffer::push`] then brings it to the device.
    pub fn host_mut(&mut self) -> &mut DynTensor {
        &mut self.staged.as_mut().unwrap_or(&mut self.bound).typed
    }

    /// What the host may read, as of the last [`Buffer::pull`].
    pub fn host(&self) -> &DynTensor {
        &self.staged.as_ref().unwrap_or(&self.bound).typed
    }

    /// Bring what the host wrote to the device.
    pub fn push(&mut self) -> ort::Result<()> {
        match &self.staged {
            Some(staged) => staged.copy_into(&mut self.bound),
            None => Ok(()),
        }
    }

    /// Bring what the device computed to the host.
    pub fn pull(&mut self) -> ort::Result<()> {
        match &mut self.staged {
            Some(staged) => self.bound.copy_into(staged),
            None => Ok(()),
        }
    }
}

/// Whether each input of a session is read by the host, by its place: some kernels of a device read sizes there.
///
/// # Errors
/// Those of ONNX Runtime.
pub(super) fn read_by_host(session: &ort::session::Session) -> ort::Result<Vec<bool>> {
    let mut infos = vec![std::ptr::null(); session.inputs().len()];
    // SAFETY: the pointer is that of a living session, and the array has as many places as it has inputs. The entries
    // belong to the session, which outlives their use here.
    unsafe {
        let api = ort::api();
        let status =
            (api.SessionGetMemoryInfoForInputs)(session.ptr(), infos.as_mut_ptr(), infos.len());
        ort::Error::result_from_status(status)?;
        let by_host = infos.into_iter().map(|info| {
            let mut kind = ort::sys::OrtMemoryInfoDeviceType::OrtMemoryInfoDeviceType_CPU;
            if !info.is_null() {
                (api.MemoryInfoGetDeviceType)(info, &mut kind);
            }
            kind == ort::sys::OrtMemoryInfoDeviceType::OrtMemoryInfoDeviceType_CPU
        });
        Ok(by_host.collect())
    }
}

/// As ONNX Runtime counts.
fn shape_of(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn what_is_written_in_bf16_is_what_is_copied() {
        crate::for_tests::runtime();
        let host = Allocator::default();
        let new = || Tensor::new(&host, TensorElementType::Bfloat16, &[2, 2]).unwrap();
        let (mut from, mut to) = (new(), new());
        let values = [1.0, -2.5, f32::INFINITY, 3e38].map(bf16::from_f32);
        let (_, written) = from.typed.try_extract_tensor_mut::<bf16>().unwrap();
        written.copy_from_slice(&values);
        from.copy_into(&mut to).unwrap();
        drop(from);
        let (shape, copied) = to.typed.try_extract_tensor::<bf16>().unwrap();
        assert_eq!((&shape[..], copied), (&[2, 2][..], &values[..]));
    }

    #[test]
    fn the_first_zeros_come_from_the_host_and_the_others_from_them() {
        crate::for_tests::runtime();
        // What is a device's memory as far as this code knows.
        let memory = Memory {
            host: Allocator::default(),
            device: Some(Allocator::default()),
        };
        let shape = [2, 3];
        for element in [TensorElementType::Float32, TensorElementType::Bfloat16] {
            let mut first = memory.zeros_on_device(element, &shape, None).unwrap();
            assert!(first.staged.is_none());
            let bytes = |buffer: &Buffer| {
                let each = if element == TensorElementType::Float32 {
                    4
                } else {
                    2
                };
                // SAFETY: so many bytes are there, in the host's memory.
                let data = buffer.bound.typed.data_ptr().cast::<u8>();
                unsafe { std::slice::from_raw_parts(data, 6 * each) }.to_vec()
            };
            assert!(bytes(&first).iter().all(|&byte| byte == 0));
            // SAFETY: as above.
            unsafe { *first.bound.typed.data_ptr_mut().cast::<u8>() = 7 };
            let second = memory
                .zeros_on_device(element, &shape, Some(&first))
                .unwrap();
            assert_eq!(bytes(&second), bytes(&first), "it is a copy");
            assert_eq!(bytes(&second)[0], 7);
        }
    }
}
