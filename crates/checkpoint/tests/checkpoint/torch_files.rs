//! `.pt` files that torch.save wrote.

use std::collections::BTreeMap;

use checkpoint::{Checkpoint, Dtype, Format};
use serde_json::Value;

use crate::data;
use crate::make::{TorchTensor, torch_file};

/// What `mixed.json` has for each floating tensor.
fn expected() -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let json: Value = serde_json::from_slice(&std::fs::read(data("mixed.json")).unwrap()).unwrap();
    let entry = |v: &Value| {
        (
            serde_json::from_value(v["shape"].clone()).unwrap(),
            serde_json::from_value(v["values"].clone()).unwrap(),
        )
    };
    let entries = json.as_object().unwrap().iter();
    entries.map(|(name, v)| (name.clone(), entry(v))).collect()
}

#[test]
fn every_type_and_layout_has_torchs_values() {
    // numpy1.pt names its scalars as numpy 1 does, mixed.pt as numpy 2.
    for file in ["mixed.pt", "numpy1.pt"] {
        let checkpoint = Checkpoint::open(&data(file)).unwrap();
        assert_eq!(checkpoint.format(), Format::Torch);
        let expected = expected();
        assert_eq!(expected.len(), 11);
        for (name, (shape, values)) in &expected {
            let tensor = checkpoint.f32(name).unwrap();
            assert_eq!(&tensor.shape, shape, "{name}");
            let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
            assert_eq!(tensor.data.as_ref(), values, "{name}");
        }
    }
}

#[test]
fn only_the_state_dict_is_listed_without_module() {
    let checkpoint = Checkpoint::open(&data("mixed.pt")).unwrap();
    let names: Vec<_> = checkpoint.tensors().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 13);
    assert!(names.contains(&"position_ids") && names.contains(&"plain"));
    assert!(
        !names
            .iter()
            .any(|n| n.contains("exp_avg") || n.starts_with("module."))
    );
    let info = &checkpoint.tensors()["half"];
    assert_eq!(
        (info.dtype, info.shape.as_slice()),
        (Dtype::F16, &[3, 4][..])
    );
    assert_eq!(checkpoint.tensors()["position_ids"].dtype, Dtype::I64);
    assert_eq!(checkpoint.files(), [data("mixed.pt")]);
}

#[test]
fn a_bare_state_dict_is_read() {
    let checkpoint = Checkpoint::open(&data("bare.pt")).unwrap();
    assert_eq!(checkpoint.f32("plain").unwrap().data, [1.0, 1.0]);
}

#[test]
fn integers_and_absent_tensors_are_refused_by_name() {
    let checkpoint = Checkpoint::open(&data("mixed.pt")).unwrap();
    let integer = checkpoint.f32("num_batches_tracked").unwrap_err();
    assert!(integer.to_string().contains("its type is i64"), "{integer}");
    let absent = checkpoint.f32("plane").unwrap_err().to_string();
    assert!(
        absent.contains("mixed.pt has no tensor `plane`"),
        "{absent}"
    );
}

#[test]
fn one_module_is_stripped_and_two_of_a_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let twice = [
        ("module.module.a", TorchTensor::f32(&[2, 3])),
        ("module.b", TorchTensor::f32(&[6])),
    ];
    let checkpoint = Checkpoint::open(&torch_file(folder.path(), &twice)).unwrap();
    let names: Vec<_> = checkpoint.tensors().keys().collect();
    assert_eq!(names, ["b", "module.a"]);
    assert_eq!(checkpoint.f32("b").unwrap().data[5], 5.0);

    let both = [
        ("module.a", TorchTensor::f32(&[6])),
        ("a", TorchTensor::f32(&[6])),
    ];
    let error = Checkpoint::open(&torch_file(folder.path(), &both)).unwrap_err();
    assert!(error.to_string().contains("`a`"), "{error}");
    assert!(error.to_string().contains("twice"), "{error}");
}
