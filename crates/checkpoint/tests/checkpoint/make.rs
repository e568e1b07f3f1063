//! Checkpoints made by hand, valid and not.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use checkpoint::clap::{ClapArchitecture, Htsat, Naming, Roberta, requirements};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A zip of stored entries.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, data) in entries {
        writer.start_file(*name, stored).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A tensor as torch.save describes it, with numbers that may be impossible.
pub struct TorchTensor {
    pub storage: &'static str,
    pub key: &'static str,
    pub offset: i64,
    pub shape: Vec<i64>,
    pub strides: Vec<i64>,
}

impl TorchTensor {
    /// Contiguous f32 in storage 0.
    pub fn f32(shape: &[i64]) -> Self {
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        Self {
            storage: "FloatStorage",
            key: "0",
            offset: 0,
            shape: shape.to_vec(),
            strides,
        }
    }
}

/// Pickled text.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = vec![b'X'];
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

fn integer(n: i64) -> Vec<u8> {
    match i32::try_from(n) {
        Ok(small) => [&b"J"[..], &small.to_le_bytes()].concat(),
        Err(_) => [&b"\x8a\x08"[..], &n.to_le_bytes()].concat(),
    }
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [&b"("[..], &items.concat(), b"t"].concat()
}

fn tensor(tensor: &TorchTensor) -> Vec<u8> {
    let class = format!("ctorch\n{}\n", tensor.storage).into_bytes();
    let id = tuple(&[
        text("storage"),
        class,
        text(tensor.key),
        text("cpu"),
        integer(6),
    ]);
    let integers = |ns: &[i64]| tuple(&ns.iter().map(|&n| integer(n)).collect::<Vec<_>>());
    let arguments = tuple(&[
        [&id[..], b"Q"].concat(),
        integer(tensor.offset),
        integers(&tensor.shape),
        integers(&tensor.strides),
        b"\x89".to_vec(),
        b"ccollections\nOrderedDict\n)R".to_vec(),
    ]);
    [
        &b"ctorch._utils\n_rebuild_tensor_v2\n"[..],
        &arguments,
        b"R",
    ]
    .concat()
}

/// The pickle of `{"state_dict": {name: tensor, ...}}`.
pub fn state_dict_pickle(tensors: &[(&str, TorchTensor)]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}".to_vec();
    pickle.extend(text("state_dict"));
    pickle.extend(b"}");
    for (name, spec) in tensors {
        pickle.extend(text(name));
        pickle.extend(tensor(spec));
        pickle.extend(b"s");
    }
    pickle.extend(b"s.");
    pickle
}

/// A `.pt` with one storage of six f32, 0 to 5.
pub fn torch_file(folder: &Path, tensors: &[(&str, TorchTensor)]) -> PathBuf {
    let storage: Vec<u8> = (0..6u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
    let pickle = state_dict_pickle(tensors);
    let bytes = zip(&[
        ("x/data.pkl", &pickle),
        ("x/byteorder", b"little"),
        ("x/data/0", &storage),
        ("x/version", b"3\n"),
    ]);
    write(folder, "x.pt", &bytes)
}

pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// One tensor of a safetensors file: name, type, shape.
pub type Listed = (String, String, Vec<usize>);

/// A tensor's values from its name and number of elements.
pub type Fill<'a> = &'a dyn Fn(&str, usize) -> Vec<f32>;

/// A safetensors file with these tensors; their values come from `fill`, or are zeros in a hole of the file.
pub fn safetensors(path: &Path, tensors: &[Listed], fill: Option<Fill>) -> PathBuf {
    let mut at = 0usize;
    let mut fields = Vec::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, dtype, shape) in tensors {
        let elements = shape.iter().product::<usize>();
        let end = at + elements * if dtype == "i64" { 8 } else { 4 };
        let dtype = dtype.to_uppercase();
        fields.push(format!(
            r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{at},{end}]}}"#
        ));
        if let Some(fill) = fill {
            data.extend(fill(name, elements).iter().flat_map(|v| v.to_le_bytes()));
        }
        at = end;
    }
    let header = format!("{{{}}}", fields.join(","));
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes())
        .unwrap();
    file.write_all(header.as_bytes()).unwrap();
    match fill {
        Some(_) => file.write_all(&data).unwrap(),
        None => file.set_len((8 + header.len() + at) as u64).unwrap(),
    }
    path.to_owned()
}

/// A list of `data/`: the tensors of a real model.
pub fn listed(name: &str) -> Vec<Listed> {
    let list = std::fs::read_to_string(super::data(name)).unwrap();
    let fields = list.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields
        .map(|f| {
            let shape = f[2].split(',').filter(|n| !n.is_empty());
            let shape = shape.map(|n| n.parse().unwrap()).collect();
            (f[0].to_owned(), f[1].to_owned(), shape)
        })
        .collect()
}

/// A CLAP model of about 100,000 parameters.
pub fn small_clap(naming: Naming) -> ClapArchitecture {
    ClapArchitecture {
        audio: Htsat {
            embed_dim: 8,
            depths: vec![2, 2, 1, 1],
            heads: vec![1, 2, 4, 8],
            window: 8,
            patch: 4,
            mel_bins: 64,
            spec_size: 256,
            fusion: false,
        },
        text: Roberta {
            vocab: 50,
            positions: 20,
            token_types: 1,
            hidden: 64,
            layers: 1,
            heads: 1,
            intermediate: 128,
            layer_norm_eps: if naming == Naming::Laion { 1e-5 } else { 1e-12 },
            pad_id: 1,
        },
        joint_dim: 16,
        naming,
    }
}

/// What a model's file holds, from the list of what it needs.
pub fn tensors_of(architecture: &ClapArchitecture) -> Vec<Listed> {
    let mut list = Vec::new();
    for requirement in requirements(architecture) {
        let mut shape = requirement.shape;
        shape[0] /= requirement.sources.len();
        for source in requirement.sources {
            list.push((source, "f32".to_owned(), shape.clone()));
        }
    }
    list
}
