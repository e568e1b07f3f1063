//! Numbers on their way into and out of ONNX Runtime: half precisions are widened and narrowed at this border, so that
//! everything else computes in f32 whatever a graph wants.

use std::fmt::Debug;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use ndarray::ArrayViewD;
use ort::value::{
    DynTensor, PrimitiveTensorElementType, TensorElementType, TensorValueTypeMarker, Value,
};

/// What inputs are made of.
pub trait Element: PrimitiveTensorElementType + Copy + PartialEq + Debug + 'static {
    /// Write `values` into a tensor of as many elements that the host can reach, and say whether any was another before.
    ///
    /// # Errors
    /// When the tensor has another type or size.
    fn write(values: ArrayViewD<Self>, tensor: &mut DynTensor) -> ort::Result<bool> {
        convert(values, tensor, |value| value)
    }
}

impl Element for i8 {}
impl Element for i32 {}
impl Element for i64 {}
impl Element for f64 {}
impl Element for bool {}

impl Element for f32 {
    fn write(values: ArrayViewD<Self>, tensor: &mut DynTensor) -> ort::Result<bool> {
        match tensor.data_type() {
            TensorElementType::Float16 => convert(values, tensor, f16::from_f32),
            TensorElementType::Bfloat16 => convert(values, tensor, bf16::from_f32),
            _ => convert(values, tensor, |value| value),
        }
    }
}

fn convert<T, U>(
    values: ArrayViewD<T>,
    tensor: &mut DynTensor,
    to: impl Fn(T) -> U,
) -> ort::Result<bool>
where
    T: Copy,
    U: PrimitiveTensorElementType + Copy + PartialEq,
{
    let (_, target) = tensor.try_extract_tensor_mut::<U>()?;
    if target.len() != values.len() {
        let (given, wanted) = (values.len(), target.len());
        return Err(ort::Error::new(format!(
            "{given} values for a tensor of {wanted}"
        )));
    }
    let mut changed = false;
    for (target, &value) in target.iter_mut().zip(values.iter()) {
        let value = to(value);
        changed |= *target != value;
        *target = value;
    }
    Ok(changed)
}

/// The values of a tensor of floats that the host can reach, row-major; those of half precision are widened into
/// `widened`.
///
/// # Errors
/// When the tensor holds no floats.
pub(super) fn read<'t, K: TensorValueTypeMarker + ?Sized>(
    tensor: &'t Value<K>,
    widened: &'t mut Vec<f32>,
) -> ort::Result<&'t [f32]> {
    match tensor.dtype().tensor_type() {
        Some(TensorElementType::Float16) => {
            let (_, values) = tensor.try_extract_tensor::<f16>()?;
            widened.resize(values.len(), 0.0);
            values.convert_to_f32_slice(widened);
            Ok(widened)
        }
        Some(TensorElementType::Bfloat16) => {
            let (_, values) = tensor.try_extract_tensor::<bf16>()?;
            widened.resize(values.len(), 0.0);
            values.convert_to_f32_slice(widened);
            Ok(widened)
        }
        _ => Ok(tensor.try_extract_tensor::<f32>()?.1),
    }
}
