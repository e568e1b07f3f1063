//! Files that lie, or that would run something.

use std::path::Path;

use checkpoint::{Checkpoint, CheckpointError};

use crate::data;
use crate::make::{TorchTensor, state_dict_pickle, text, torch_file, write, zip};

fn message(path: &Path) -> String {
    let message = Checkpoint::open(path).unwrap_err().to_string();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(
        message.contains(name),
        "the message names the file: {message}"
    );
    message
}

fn of_pickle(pickle: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    message(&write(
        folder.path(),
        "x.pt",
        &zip(&[("x/data.pkl", pickle)]),
    ))
}

fn of_tensor(tensor: TorchTensor) -> String {
    let folder = tempfile::tempdir().unwrap();
    let good = ("fine", TorchTensor::f32(&[6]));
    let path = torch_file(folder.path(), &[good, ("layers.3.weight", tensor)]);
    let message = message(&path);
    assert!(message.contains("`layers.3.weight`"), "{message}");
    message
}

#[test]
fn a_pickle_that_calls_the_shell_is_refused_and_named() {
    let call = [
        &b"\x80\x02cos\nsystem\n"[..],
        &text("touch pwned"),
        b"\x85R.",
    ]
    .concat();
    let refused = of_pickle(&call);
    assert!(refused.contains("`os system`"), "{refused}");
    assert!(refused.contains("nothing was executed"), "{refused}");
    // As Python writes it: beside a state_dict that is whole, in protocol 2 and 4.
    for file in ["shell.pt", "shell4.pt"] {
        let error = Checkpoint::open(&data(file)).unwrap_err();
        assert!(matches!(error, CheckpointError::ForbiddenGlobal { .. }));
        assert!(error.to_string().contains("`posix system`"), "{error}");
    }
}

#[test]
fn other_ways_to_save_say_how_to_save_again() {
    let four = message(&data("protocol4.pt"));
    assert!(
        four.contains("protocol") && four.contains("save its state_dict"),
        "{four}"
    );
    let legacy = message(&data("legacy.pt"));
    assert!(legacy.contains("before version 1.6"), "{legacy}");
}

#[test]
fn shapes_and_offsets_that_the_storage_does_not_hold_are_refused() {
    let too_far = TorchTensor {
        offset: 1,
        ..TorchTensor::f32(&[6])
    };
    assert!(of_tensor(too_far).contains("does not fit its storage of 6 elements"));
    assert!(of_tensor(TorchTensor::f32(&[7])).contains("does not fit"));
    let product_overflows = TorchTensor {
        strides: vec![0, 0],
        ..TorchTensor::f32(&[i64::MAX / 2, 8])
    };
    assert!(of_tensor(product_overflows).contains("does not fit"));
    let unfolds = TorchTensor {
        strides: vec![0],
        ..TorchTensor::f32(&[1 << 40])
    };
    assert!(of_tensor(unfolds).contains("does not fit"));
    let stride_overflows = TorchTensor {
        strides: vec![i64::MAX, i64::MAX, i64::MAX],
        ..TorchTensor::f32(&[2, 2, 1])
    };
    assert!(of_tensor(stride_overflows).contains("does not fit"));
    let offset_overflows = TorchTensor {
        offset: i64::MAX,
        ..TorchTensor::f32(&[6])
    };
    assert!(of_tensor(offset_overflows).contains("does not fit"));
}

#[test]
fn negative_numbers_and_odd_descriptions_are_refused() {
    let negative = |offset, shape: &[i64], strides: &[i64]| {
        of_tensor(TorchTensor {
            offset,
            strides: strides.to_vec(),
            ..TorchTensor::f32(shape)
        })
    };
    assert!(negative(-4, &[6], &[1]).contains("offset is negative"));
    assert!(negative(0, &[-6], &[1]).contains("shape has a negative"));
    assert!(negative(0, &[6], &[-1]).contains("strides are negative"));
    assert!(negative(0, &[2, 3], &[1]).contains("2 axes and its strides 1"));
    assert!(negative(0, &[1; 65], &[1; 65]).contains("65 axes"));
    let elsewhere = TorchTensor {
        key: "../../etc/passwd",
        ..TorchTensor::f32(&[6])
    };
    assert!(of_tensor(elsewhere).contains("is not in the file"));
}

#[test]
fn a_stride_without_meaning_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let odd = TorchTensor {
        strides: vec![i64::MAX, 1, i64::MAX],
        ..TorchTensor::f32(&[1, 6, 1])
    };
    let turned = TorchTensor {
        strides: vec![1, i64::MAX, 2],
        ..TorchTensor::f32(&[2, 1, 3])
    };
    let path = torch_file(folder.path(), &[("odd", odd), ("turned", turned)]);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let values = |name| checkpoint.f32(name).unwrap().data;
    assert_eq!(values("odd"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(values("turned"), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
}

#[test]
fn pickle_bombs_are_refused() {
    let mut doubling = b"\x80\x02)".to_vec();
    for _ in 0..64 {
        doubling.extend(b"q\x00h\x00\x86");
    }
    doubling.push(b'.');
    assert!(of_pickle(&doubling).contains("unfolds"));
    let deep = [&b"\x80\x02N"[..], &vec![0x85; 2_000_000], b"."].concat();
    assert!(of_pickle(&deep).contains("deep"));
    let many = [&b"\x80\x02"[..], &vec![b'N'; 5_000_000], b"."].concat();
    assert!(of_pickle(b"\x80\x02X\xff\xff\xff\xff.").contains("ends inside"));
    assert!(of_pickle(&many).contains("unfolds"));
    assert!(of_pickle(&vec![b'N'; (64 << 20) + 1]).contains("at most"));
}

#[test]
fn zips_that_torch_did_not_write_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of = |entries: &[(&str, &[u8])]| message(&write(folder.path(), "x.pt", &zip(entries)));
    let pickle = state_dict_pickle(&[("a", TorchTensor::f32(&[6]))]);
    let storage = [0u8; 24];
    assert!(of(&[("x/readme", b"hello")]).contains("without data.pkl"));
    assert!(of(&[("data.pkl", &pickle)]).contains("without data.pkl"));
    assert!(of(&[("x/data.pkl", &pickle), ("y/data.pkl", &pickle)]).contains("two pickles"));
    assert!(of(&[("x/data.pkl", &pickle), ("x/constants.pkl", b")")]).contains("TorchScript"));
    let big_endian: &[(&str, &[u8])] = &[
        ("x/data.pkl", &pickle),
        ("x/byteorder", b"big"),
        ("x/data/0", &storage),
    ];
    assert!(of(big_endian).contains("byte order is `big`"));
    assert!(of(&[("x/data.pkl", b"\x80\x02N.")]).contains("no dict of tensors"));
    let other = [&b"\x80\x02}"[..], &text("epoch"), b"K\x07s."].concat();
    assert!(of(&[("x/data.pkl", &other)]).contains("holds no tensor (keys: epoch)"));
    let short: &[(&str, &[u8])] = &[("x/data.pkl", &pickle), ("x/data/0", &storage[..20])];
    assert!(of(short).contains("storage of 5 elements"));
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pickle = state_dict_pickle(&[("a", TorchTensor::f32(&[6]))]);
    let mut bytes = zip(&[
        ("x/data.pkl", &pickle),
        ("x/data/0", &[0u8; 24]),
        ("x/data/1", &[1u8; 24]),
    ]);
    // The name of the third entry, in its own header and in the directory.
    let starts: Vec<usize> = (0..bytes.len() - 8)
        .filter(|&at| &bytes[at..at + 8] == b"x/data/1")
        .collect();
    assert_eq!(starts.len(), 2);
    for at in starts {
        bytes[at + 7] = b'0';
    }
    let refused = message(&write(folder.path(), "x.pt", &bytes));
    assert!(refused.contains("two entries"), "{refused}");
}

#[test]
fn what_is_no_checkpoint_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let of = |bytes: &[u8]| message(&write(folder.path(), "x.pt", bytes));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    assert!(of(pointer).contains("git lfs pull"));
    assert!(of(b"<!doctype html><html></html>").contains("web page"));
    assert!(of(b"").contains("empty"));
    assert!(of(b"RIFF....WAVE").contains("neither"));
    assert!(of(b"PK\x03\x04 and then nothing").contains("cut off"));
    let absent = Checkpoint::open(&folder.path().join("none.pt")).unwrap_err();
    assert!(absent.to_string().contains("none.pt"), "{absent}");
}
