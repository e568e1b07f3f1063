//! The tensors of a state_dict, picked out of the pickle's tree and checked against their storages.
//!
//! A tensor is `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`, a storage is
//! the persistent id `("storage", torch.FloatStorage, key, location, elements)` (`torch/_utils.py`).

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use foreign::words;
use foreign::{Foreign, Words};

use super::super::CheckpointError;
use super::super::tensor::{Dtype, Place, TensorInfo, extent, is_contiguous};
use super::archive::Archive;
use super::machine::Object;

/// torch allows 64.
const MOST_AXES: usize = 64;

/// The tensors of `root["state_dict"]`, or of `root` itself when it is a bare state_dict. What stands beside the
/// state_dict (optimizer, scaler, epoch) is not looked at.
pub(super) fn tensors(
    path: &Path,
    root: &Object,
    archive: &Archive,
    file: usize,
) -> Result<BTreeMap<String, TensorInfo>, CheckpointError> {
    let entries = dict(root).ok_or_else(|| {
        CheckpointError::unsupported(
            path,
            "its pickle holds no dict of tensors",
            "save the model's state_dict with torch.save",
        )
    })?;
    let state_dict = entries
        .iter()
        .find_map(|(key, value)| (text(key)? == "state_dict").then(|| dict(value))?)
        .unwrap_or(entries);
    let mut found = BTreeMap::new();
    for (name, value) in state_dict {
        let (Some(name), Some(arguments)) = (text(name), tensor_arguments(value)) else {
            continue;
        };
        let info = tensor(arguments, archive, file)
            .map_err(|detail| CheckpointError::tensor(path, name, detail))?;
        if found.insert(name.to_owned(), info).is_some() {
            return Err(CheckpointError::tensor(
                path,
                name,
                "the state_dict has it twice; fetch the file again",
            ));
        }
    }
    if found.is_empty() {
        let keys: Vec<_> = state_dict.iter().filter_map(|(k, _)| text(k)).collect();
        let shown = Words::join(keys.into_iter().take(8).map(Foreign::new), ", ");
        return Err(CheckpointError::unsupported(
            path,
            words!("its dict holds no tensor (keys: {})", shown),
            "save the model's state_dict with torch.save, bare or under the key state_dict",
        ));
    }
    Ok(found)
}

/// The entries of a dict, also of one with attributes set on it.
fn dict(object: &Object) -> Option<&[(Rc<Object>, Rc<Object>)]> {
    match object {
        Object::Dict(entries) => Some(entries),
        Object::Built(object) => match &**object {
            Object::Dict(entries) => Some(entries),
            _ => None,
        },
        _ => None,
    }
}

fn text(object: &Object) -> Option<&str> {
    match object {
        Object::Text(text) => Some(text),
        _ => None,
    }
}

fn tuple(object: &Object) -> Option<&[Rc<Object>]> {
    match object {
        Object::Tuple(items) => Some(items),
        _ => None,
    }
}

/// What a call has as arguments, if it is a call of `torch._utils.<function>`.
fn call<'a>(object: &'a Object, function: &str) -> Option<&'a [Rc<Object>]> {
    let Object::Call {
        callable,
        arguments,
    } = object
    else {
        return None;
    };
    let Object::Global { module, name } = &**callable else {
        return None;
    };
    (module == "torch._utils" && name == function).then(|| tuple(arguments))?
}

/// The arguments of a tensor, or of the tensor in a parameter; `None` for any other value.
fn tensor_arguments(object: &Object) -> Option<&[Rc<Object>]> {
    let inner = call(object, "_rebuild_parameter").and_then(<[_]>::first);
    call(inner.map_or(object, |inner| inner), "_rebuild_tensor_v2")
}

fn tensor(arguments: &[Rc<Object>], archive: &Archive, file: usize) -> Result<TensorInfo, Words> {
    let [storage, offset, shape, strides, ..] = arguments else {
        return Err("its description is not complete; fetch the file again".into());
    };
    let storage = Storage::of(storage)?;
    let range = archive.range(&format!("data/{}", storage.key));
    let range = range.ok_or_else(|| {
        let key = Foreign::new(storage.key);
        words!(
            "its storage `data/{}` is not in the file; fetch the file again",
            key
        )
    })?;
    let held = range.len() / storage.dtype.size();

    let offset = size(offset).ok_or("its offset is negative or not a number")?;
    let shape = sizes(shape).ok_or("its shape has a negative or impossible size")?;
    let strides = sizes(strides).ok_or("its strides are negative or impossible")?;
    if shape.len() != strides.len() || shape.len() > MOST_AXES {
        return Err(words!(
            "its shape has {} axes and its strides {}, at most {} of both and equally many are possible",
            shape.len(),
            strides.len(),
            MOST_AXES
        ));
    }
    // More elements than the storage holds come from strides of 0: a tensor that would unfold to any size.
    let fits = extent(&shape, &strides).filter(|&(elements, span)| {
        elements <= held && offset.checked_add(span).is_some_and(|end| end <= held)
    });
    let Some((_, span)) = fits else {
        return Err(words!(
            "shape {} with strides {} from element {} does not fit its storage of {} elements; \
             the file is damaged or forged, fetch it again",
            list(&shape),
            list(&strides),
            offset,
            held
        ));
    };
    let width = storage.dtype.size();
    let contiguous = is_contiguous(&shape, &strides);
    let steps = shape.iter().zip(&strides);
    let steps = steps.map(|(&size, &stride)| if size == 1 { 0 } else { stride });
    let place = Place {
        file,
        start: range.start + offset.min(held) * width,
        span: span * width,
        strides: (!contiguous).then(|| steps.collect()),
    };
    Ok(TensorInfo {
        dtype: storage.dtype,
        shape,
        place,
    })
}

struct Storage<'a> {
    dtype: Dtype,
    key: &'a str,
}

impl<'a> Storage<'a> {
    fn of(object: &'a Object) -> Result<Self, Words> {
        const UNKNOWN: &str =
            "its storage is not described as torch.save does; fetch the file again";
        let Object::Persistent(id) = object else {
            return Err(UNKNOWN.into());
        };
        let Some([kind, class, key, ..]) = tuple(id) else {
            return Err(UNKNOWN.into());
        };
        let (Some("storage"), Object::Global { name, .. }, Some(key)) =
            (text(kind), &**class, text(key))
        else {
            return Err(UNKNOWN.into());
        };
        let dtype = match name.as_str() {
            "FloatStorage" => Dtype::F32,
            "DoubleStorage" => Dtype::F64,
            "HalfStorage" => Dtype::F16,
            "BFloat16Storage" => Dtype::BF16,
            "LongStorage" => Dtype::I64,
            "IntStorage" => Dtype::I32,
            "ShortStorage" => Dtype::I16,
            "CharStorage" => Dtype::I8,
            "ByteStorage" => Dtype::U8,
            "BoolStorage" => Dtype::Bool,
            other => {
                return Err(words!(
                    "its storage type `{}` is unknown",
                    Foreign::new(other)
                ));
            }
        };
        Ok(Self { dtype, key })
    }
}

fn size(object: &Object) -> Option<usize> {
    match object {
        Object::Int(n) => usize::try_from(*n).ok(),
        _ => None,
    }
}

fn sizes(object: &Object) -> Option<Vec<usize>> {
    tuple(object)?.iter().map(|item| size(item)).collect()
}

/// `[2, 3]`, cut after eight axes.
fn list(sizes: &[usize]) -> Words {
    let mut shown: Vec<Words> = sizes
        .iter()
        .take(8)
        .map(|size| words!("{}", size))
        .collect();
    if sizes.len() > 8 {
        shown.push("…".into());
    }
    words!("[{}]", Words::join(shown, ", "))
}
