//! CLAP models: the real layouts are recognised, and what does not fit is named.

use std::path::PathBuf;

use checkpoint::clap::{
    ClapArchitecture, ClapWeights, Expected, Naming, compare, inspect_report, recognise,
    requirements,
};
use checkpoint::{Checkpoint, CheckpointError};
use tempfile::TempDir;

use crate::data;
use crate::make::{Listed, listed, safetensors, small_clap, tensors_of, write};

/// Each tensor holds its name's length, then 1, 2, ...
fn counted(name: &str, n: usize) -> Vec<f32> {
    let first = name.len() as f32;
    (0..n)
        .map(|i| if i == 0 { first } else { i as f32 })
        .collect()
}

struct File {
    folder: TempDir,
    path: PathBuf,
}

impl File {
    /// A real model's list as a file of zeros, which takes no room on disk.
    fn hole(list: &[Listed]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = safetensors(&folder.path().join("model.safetensors"), list, None);
        Self { folder, path }
    }

    fn counted(list: &[Listed]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = safetensors(
            &folder.path().join("model.safetensors"),
            list,
            Some(&counted),
        );
        Self { folder, path }
    }

    fn open(&self) -> Checkpoint {
        Checkpoint::open(&self.path).unwrap()
    }
}

fn card(audio: Option<&str>, fusion: Option<bool>) -> Expected {
    Expected {
        audio: audio.map(str::to_owned),
        fusion,
    }
}

#[test]
fn the_real_layouts_are_recognised_and_whole() {
    for (list, name, fusion, naming) in [
        ("laion_fused_tiny.txt", "htsat-tiny", true, Naming::Laion),
        ("laion_unfused_base.txt", "htsat-base", false, Naming::Laion),
        (
            "clap_hf_fused.txt",
            "htsat-tiny",
            true,
            Naming::Transformers,
        ),
    ] {
        let list = listed(list);
        let file = File::hole(&list);
        let checkpoint = file.open();
        let architecture = recognise(&checkpoint).unwrap();
        assert_eq!(architecture.audio.name(), name);
        assert_eq!(
            (architecture.audio.fusion, architecture.naming),
            (fusion, naming)
        );
        assert_eq!(architecture.audio.heads, [4, 8, 16, 32]);
        let text = &architecture.text;
        assert_eq!((text.hidden, text.layers, text.heads), (768, 2, 12));
        assert_eq!(
            (text.intermediate, text.vocab, text.positions),
            (3072, 1000, 514)
        );
        assert_eq!(architecture.joint_dim, 512);
        // Every tensor is either needed or known not to be.
        let found = compare(&checkpoint, &architecture);
        assert!(found.fits(), "{found:?}");
        assert!(found.leftover.is_empty(), "{found:?}");
        let needed: usize = requirements(&architecture)
            .iter()
            .map(|r| r.sources.len())
            .sum();
        assert_eq!(needed + found.unused.len(), list.len());
        assert!(ClapWeights::load(&checkpoint, Some(&card(Some(name), Some(fusion)))).is_ok());
    }
}

#[test]
fn the_epsilon_follows_the_implementation() {
    let laion = File::counted(&tensors_of(&small_clap(Naming::Laion)));
    let there = File::counted(&tensors_of(&small_clap(Naming::Transformers)));
    let eps = |file: &File| recognise(&file.open()).unwrap().text.layer_norm_eps;
    assert_eq!((eps(&laion), eps(&there)), (1e-5, 1e-12));
    let config = br#"{"text_config": {"layer_norm_eps": 1e-6, "num_attention_heads": 4, "pad_token_id": 2}}"#;
    write(there.folder.path(), "config.json", config);
    let text = recognise(&there.open()).unwrap().text;
    assert_eq!((text.layer_norm_eps, text.heads, text.pad_id), (1e-6, 4, 2));
    write(
        there.folder.path(),
        "config.json",
        br#"{"audio_config": {"enable_fusion": true}}"#,
    );
    let contradiction = recognise(&there.open()).unwrap_err().to_string();
    assert!(
        contradiction.contains("enable_fusion: true"),
        "{contradiction}"
    );
}

#[test]
fn any_size_is_recognised() {
    for naming in [Naming::Laion, Naming::Transformers] {
        for fusion in [false, true] {
            let mut architecture = small_clap(naming);
            architecture.audio.fusion = fusion;
            let file = File::counted(&tensors_of(&architecture));
            assert_eq!(recognise(&file.open()).unwrap(), architecture);
        }
    }
}

#[test]
fn query_key_and_value_become_one_tensor_and_names_are_checked() {
    let architecture = small_clap(Naming::Transformers);
    let file = File::counted(&tensors_of(&architecture));
    let checkpoint = file.open();
    let weights = ClapWeights::load(&checkpoint, None).unwrap();
    assert_eq!(weights.architecture(), &architecture);
    let qkv = weights
        .get("audio_branch.layers.1.blocks.0.attn.qkv.weight")
        .unwrap();
    assert_eq!(qkv.shape, [48, 16]);
    let part = |name: &str| {
        let source =
            format!("audio_model.audio_encoder.layers.1.blocks.0.attention.self.{name}.weight");
        checkpoint.f32(&source).unwrap().data
    };
    let parts = [part("query"), part("key"), part("value")].concat();
    assert_eq!(qkv.data, parts);
    // The first values tell query (5 letters) from key (3).
    assert_eq!(qkv.data[0] - qkv.data[256], 2.0);
    let unknown = weights.get("audio_branch.norm.wieght").unwrap_err();
    assert!(matches!(unknown, CheckpointError::NoTensor { .. }));
    assert!(weights.mel_filters().unwrap().is_none());
    assert!(weights.dft_kernels().unwrap().is_none());
}

#[test]
fn the_front_ends_tables_are_found_in_laions_files() {
    let file = File::hole(&listed("laion_unfused_base.txt"));
    let checkpoint = file.open();
    let weights = ClapWeights::load(&checkpoint, None).unwrap();
    assert_eq!(weights.mel_filters().unwrap().unwrap().shape, [513, 64]);
    let (real, imaginary) = weights.dft_kernels().unwrap().unwrap();
    assert_eq!(
        (real.shape, imaginary.shape),
        (vec![513, 1, 1024], vec![513, 1, 1024])
    );
}

#[test]
fn a_card_that_claims_fusion_is_refused_with_what_is_missing() {
    let file = File::hole(&listed("laion_unfused_base.txt"));
    let checkpoint = file.open();
    let claim = |expected: &Expected| {
        let error = ClapWeights::load(&checkpoint, Some(expected)).unwrap_err();
        error.to_string()
    };
    let fused = claim(&card(None, Some(true)));
    assert!(
        fused.contains("the card says htsat-base, fusion on"),
        "{fused}"
    );
    assert!(
        fused.contains("the tensors are htsat-base, fusion off"),
        "{fused}"
    );
    assert!(
        fused.contains("26 tensors are missing:\n    audio_branch.patch_embed.mel_conv2d.weight")
    );
    assert!(fused.contains("\n    and 16 more"), "{fused}");
    assert!(
        fused.contains("{ audio: htsat-base, fusion: false }"),
        "{fused}"
    );
    let tiny = claim(&card(Some("htsat-tiny"), None));
    assert!(tiny.contains(
        "misshapen:\n    audio_branch.patch_embed.proj.weight [128, 1, 4, 4], needed [96, 1, 4, 4]"
    ));
    let unknown = claim(&card(Some("htsat-huge"), None));
    assert!(
        unknown.contains("`htsat-huge`") && unknown.contains("htsat-large"),
        "{unknown}"
    );
    // A fused checkpoint under a card without fusion lacks nothing, and would compute something else all the same.
    let fused = File::hole(&listed("laion_fused_tiny.txt"));
    let fused = fused.open();
    let error = ClapWeights::load(&fused, Some(&card(None, Some(false)))).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the tensors are htsat-tiny, fusion on")
    );
}

#[test]
fn what_is_missing_misshapen_or_left_over_is_named() {
    let mut list = tensors_of(&small_clap(Naming::Laion));
    list.retain(|(name, ..)| name != "text_branch.pooler.dense.bias");
    let shape = list
        .iter_mut()
        .find(|(name, ..)| name == "audio_branch.norm.weight");
    shape.unwrap().2 = vec![63];
    for (name, shape) in [
        ("text_branch.embeddings.position_ids", vec![1, 20]),
        ("stray.weight", vec![4]),
    ] {
        list.push((name.to_owned(), "f32".to_owned(), shape));
    }
    let file = File::counted(&list);
    let checkpoint = file.open();
    let error = ClapWeights::load(&checkpoint, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("1 tensor is missing:\n    text_branch.pooler.dense.bias"),
        "{error}"
    );
    assert!(
        error.contains("audio_branch.norm.weight [63], needed [64]"),
        "{error}"
    );
    let found = compare(&checkpoint, &small_clap(Naming::Laion));
    assert_eq!(found.leftover, ["stray.weight"]);
    assert_eq!(found.unused, ["text_branch.embeddings.position_ids"]);
}

#[test]
fn leftovers_are_named_and_do_not_fail_a_load() {
    let mut list = tensors_of(&small_clap(Naming::Laion));
    list.push(("stray.weight".into(), "f32".into(), vec![4]));
    let file = File::counted(&list);
    let checkpoint = file.open();
    let weights = ClapWeights::load(&checkpoint, None).unwrap();
    assert_eq!(weights.leftover(), ["stray.weight"]);
}

#[test]
fn a_weight_that_is_not_a_number_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let spoiled = |name: &str, n: usize| {
        let mut values = counted(name, n);
        if name == "audio_branch.norm.bias" {
            values[5] = f32::NAN;
        }
        values
    };
    let list = tensors_of(&small_clap(Naming::Laion));
    let path = safetensors(&folder.path().join("x.safetensors"), &list, Some(&spoiled));
    let checkpoint = Checkpoint::open(&path).unwrap();
    let weights = ClapWeights::load(&checkpoint, None).unwrap();
    assert!(weights.get("audio_branch.norm.weight").is_ok());
    let error = weights
        .get("audio_branch.norm.bias")
        .unwrap_err()
        .to_string();
    assert!(error.contains("element 5 is NaN"), "{error}");
}

#[test]
fn fusions_that_are_not_implemented_are_named() {
    let with = |extra: &str| {
        let mut list = tensors_of(&small_clap(Naming::Laion));
        list.push((extra.to_owned(), "f32".to_owned(), vec![4]));
        recognise(&File::counted(&list).open())
            .unwrap_err()
            .to_string()
    };
    let prefix = "audio_branch.patch_embed";
    assert!(with(&format!("{prefix}.fusion_model.local_att2.0.weight")).contains("iaff_2d"));
    assert!(with(&format!("{prefix}.mel_conv2d.weight")).contains("daf_2d"));
}

#[test]
fn other_models_are_told_apart() {
    let of = |names: &[&str]| {
        let list: Vec<_> = names
            .iter()
            .map(|n| ((*n).to_owned(), "f32".to_owned(), vec![2, 3]))
            .collect();
        let file = File::counted(&list);
        let checkpoint = file.open();
        let error = recognise(&checkpoint).unwrap_err().to_string();
        (error, inspect_report(&checkpoint, &[]))
    };
    let (error, report) = of(&[
        "text_encoder.shared.weight",
        "decoder.model.decoder.layers.0.fc1.weight",
        "enc_to_dec_proj.weight",
        "audio_encoder.quantizer.layers.0.codebook.embed",
    ]);
    assert!(error.contains("looks like a MusicGen"), "{error}");
    assert!(
        report.contains("decoder       2 tensors, 12 parameters, 0.0 kB"),
        "{report}"
    );
    let (error, _) = of(&["audio_branch.conv_block1.conv1.weight", "text_branch.x"]);
    assert!(error.contains("PANN"), "{error}");
    let (error, report) = of(&["conv1.weight", "conv2.weight"]);
    assert!(
        error.contains("no model known here (the first of 2: conv1.weight"),
        "{error}"
    );
    assert!(
        report.contains("not CLAP: its tensors are of no model"),
        "{report}"
    );
}

#[test]
fn the_report_compares_with_every_card() {
    let file = File::hole(&listed("laion_unfused_base.txt"));
    let checkpoint = file.open();
    let cards = [
        (
            "630k-audioset-fusion-best".to_owned(),
            card(Some("htsat-tiny"), Some(true)),
        ),
        (
            "music_audioset".to_owned(),
            card(Some("htsat-base"), Some(false)),
        ),
        ("odd".to_owned(), card(Some("panns"), None)),
    ];
    let report = inspect_report(&checkpoint, &cards);
    let line = |start: &str| report.lines().find(|l| l.trim_start().starts_with(start));
    assert!(line("tensors").unwrap().contains("345: "), "{report}");
    assert!(
        line("model")
            .unwrap()
            .contains("CLAP, htsat-base, fusion off, 512 components")
    );
    assert!(
        line("audio tower")
            .unwrap()
            .contains("blocks 2 2 12 2, heads 4 8 16 32")
    );
    assert!(line("text tower").unwrap().contains("eps 1e-5"), "{report}");
    assert!(
        line("(as recognised)").unwrap().ends_with("fits"),
        "{report}"
    );
    assert!(
        line("music_audioset").unwrap().ends_with("fits"),
        "{report}"
    );
    assert!(line("630k").unwrap().ends_with("does not fit"), "{report}");
    assert!(
        line("odd").unwrap().ends_with("unknown architecture"),
        "{report}"
    );
    assert!(report.contains(
        "htsat-tiny, fusion on, missing:\n  audio_branch.patch_embed.mel_conv2d.weight\n"
    ));
    assert!(report.contains("and 22 more"), "{report}");
}

#[test]
fn a_torch_file_without_clap_is_not_clap() {
    let checkpoint = Checkpoint::open(&data("mixed.pt")).unwrap();
    let error = recognise(&checkpoint).unwrap_err();
    assert!(matches!(error, CheckpointError::NotClap { .. }), "{error}");
    let architecture: &ClapArchitecture = &small_clap(Naming::Laion);
    assert!(!compare(&checkpoint, architecture).fits());
}
