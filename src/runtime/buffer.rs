//! Tensors that stay where they are, in the host's memory or in a device's.

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
            bound: DynTensor::new(&self.host, element, shape_of(shape))?,
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
        let staged = reached.then(|| DynTensor::new(&self.host, element, shape_of(shape)));
        Ok(Buffer {
            bound: DynTensor::new(device, element, shape_of(shape))?,
            staged: staged.transpose()?,
        })
    }
}

/// One tensor that is bound to a graph.
pub(super) struct Buffer {
    pub bound: DynTensor,
    /// Its copy on the host, where that cannot reach it.
    staged: Option<DynTensor>,
}

impl Buffer {
    /// The same with zeros, out of the host's reach if it is on a device: what was made for the host is zeros at first.
    pub fn without_copy(mut self) -> ort::Result<Self> {
        self.push()?;
        self.staged = None;
        Ok(self)
    }

    /// Whether its size along every axis is that of `shape`.
    pub fn has_shape(&self, shape: &[usize]) -> bool {
        let own = self.bound.shape();
        own.len() == shape.len() && own.iter().zip(shape).all(|(&own, &n)| own == n as i64)
    }

    /// What the host may write; [`Buffer::push`] then brings it to the device.
    pub fn host_mut(&mut self) -> &mut DynTensor {
        self.staged.as_mut().unwrap_or(&mut self.bound)
    }

    /// What the host may read, as of the last [`Buffer::pull`].
    pub fn host(&self) -> &DynTensor {
        self.staged.as_ref().unwrap_or(&self.bound)
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
