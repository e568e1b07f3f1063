//! The audio front end against torchaudio, torchlibrosa, laion_clap and soundfile.
//!
//! The golden values and the sound files are made by `scripts/parity/audio.py`, which says what each tensor holds.

use std::path::{Path, PathBuf};

use clap_audio::{
    CLAP_RATE_HZ, ClapFrontEnd, CropPolicy, Crops, EXTENSIONS, FusionShrink, MelScale, decode,
    resample,
};
use ndarray::{Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;

struct Golden(Vec<u8>);

impl Golden {
    fn open() -> Self {
        Self::of("front_end")
    }

    fn of(name: &str) -> Self {
        let path = root().join(format!("tests/golden/audio/{name}.safetensors"));
        Self(std::fs::read(path).unwrap())
    }

    fn names(&self, prefix: &str) -> Vec<String> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let names = tensors
            .names()
            .into_iter()
            .filter_map(|name| name.strip_prefix(prefix));
        let names: Vec<_> = names.map(String::from).collect();
        assert!(!names.is_empty(), "no golden tensor begins with {prefix}");
        names
    }

    /// The values, flat.
    fn floats(&self, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let data = tensors.tensor(name).unwrap().data();
        data.as_chunks()
            .0
            .iter()
            .map(|&b| f32::from_le_bytes(b))
            .collect()
    }

    /// The values, -1 as none.
    fn indices(&self, name: &str) -> Vec<Option<usize>> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let data = tensors.tensor(name).unwrap().data();
        data.as_chunks()
            .0
            .iter()
            .map(|&b| i64::from_le_bytes(b).try_into().ok())
            .collect()
    }

    fn rows(&self) -> Vec<usize> {
        self.indices("rows").into_iter().flatten().collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `signal` of the script, bit for bit.
fn signal(n: u64) -> Vec<f32> {
    let triangle = |i: u64, pitch: u64| 2 * ((i * pitch % 65_536) as i64 - 32_768).abs() - 32_768;
    let sample = |i: u64| {
        let mut h = (i * 2_654_435_761 + 1) & 0xffff_ffff;
        h ^= h >> 15;
        h = (h * 2_246_822_519) & 0xffff_ffff;
        h ^= h >> 13;
        let noise = (h >> 22) as i64 - 512;
        let pitch = 300 + 131 * (i / 24_000 % 11);
        (4 * triangle(i, pitch) + triangle(i, 7 * pitch) + 2 * noise) as f32 / 262_144.0
    };
    (0..n).map(sample).collect()
}

fn case_samples(case: &str) -> Vec<f32> {
    signal(match case {
        "one" => 1,
        "tiny" => 480,
        "short" => 144_000,
        "seven" => 336_000,
        "exact" => 480_000,
        "plus200" => 480_200,
        "plus600" => 480_600,
        "long" => 700_000,
        other => panic!("the script has a case {other} that this test does not know"),
    })
}

fn largest_difference(got: impl IntoIterator<Item = f32>, want: &[f32], what: &str) -> (f32, f64) {
    let got: Vec<f32> = got.into_iter().collect();
    assert_eq!(got.len(), want.len(), "{what}");
    let differences = got.iter().zip(want).map(|(a, b)| (a - b).abs());
    let largest = differences.clone().fold(0.0, f32::max);
    (
        largest,
        differences.map(f64::from).sum::<f64>() / want.len() as f64,
    )
}

/// Within 0.01 dB everywhere and 2e-4 dB on average: what the references' own f32 transforms leave uncertain.
fn assert_decibels(got: ArrayView2<f32>, want: &[f32], what: &str) {
    let (largest, mean) = largest_difference(got.iter().copied(), want, what);
    assert!(
        largest < 0.01 && mean < 2e-4,
        "{what}: {largest} dB, on average {mean} dB"
    );
}

fn kept(log_mel: &ndarray::Array3<f32>, channel: usize, rows: &[usize]) -> Array2<f32> {
    log_mel.index_axis(Axis(0), channel).select(Axis(0), rows)
}

#[test]
fn resampling_is_torchaudios() {
    let golden = Golden::open();
    for name in golden.names("resample.") {
        let (from, to) = name.split_once('_').unwrap();
        let got = resample(&signal(1500), from.parse().unwrap(), to.parse().unwrap());
        let (largest, _) =
            largest_difference(got, &golden.floats(&format!("resample.{name}")), &name);
        assert!(largest < 4e-7, "{name}: {largest}");
    }
}

#[test]
fn unfused_features_are_torchlibrosas() {
    let golden = Golden::open();
    let front_end = ClapFrontEnd::new(false, FusionShrink::Plain);
    for name in golden.names("unfused.") {
        let (case, policy) = name.split_once('.').unwrap();
        let samples = case_samples(case);
        let crops = drawn(&front_end, samples.len(), policy);
        assert_eq!(
            crops.offset,
            golden.indices(&format!("crops.{name}"))[3],
            "{name}"
        );
        let got = front_end.features(&samples, &crops).unwrap();
        assert_eq!(got.longer, samples.len() > 480_000, "{name}");
        let want = golden.floats(&format!("unfused.{name}"));
        assert_decibels(kept(&got.log_mel, 0, &golden.rows()).view(), &want, &name);
    }
}

#[test]
fn fused_features_are_laion_claps() {
    let golden = Golden::open();
    let rows = golden.rows();
    for name in golden.names("fused.") {
        let (case, policy) = name.split_once('.').unwrap();
        let samples = case_samples(case);
        let today = ClapFrontEnd::new(true, FusionShrink::Antialias);
        let crops = drawn(&today, samples.len(), policy);
        let want_crops = golden.indices(&format!("crops.{name}"));
        assert_eq!(
            [crops.front, crops.middle, crops.back],
            want_crops[..3],
            "{name}"
        );
        let got = today.features(&samples, &crops).unwrap();
        let want = golden.floats(&format!("fused.{name}"));
        let channels: Vec<_> = want.chunks_exact(rows.len() * 64).collect();
        assert_eq!(got.longer, channels.len() == 4, "{name}");
        for channel in 0..4 {
            let want = channels[if got.longer { channel } else { 0 }];
            assert_decibels(
                kept(&got.log_mel, channel, &rows).view(),
                want,
                &format!("{name} channel {channel}"),
            );
        }
        if got.longer {
            let as_trained = ClapFrontEnd::new(true, FusionShrink::Plain);
            let got = as_trained.features(&samples, &crops).unwrap();
            let want = golden.floats(&format!("plain.{name}"));
            assert_decibels(
                kept(&got.log_mel, 0, &rows).view(),
                &want,
                &format!("{name} plain"),
            );
        }
    }
}

fn drawn(front_end: &ClapFrontEnd, samples: usize, policy: &str) -> Crops {
    let policy: CropPolicy = policy.parse().unwrap();
    front_end.draw(samples, policy, &mut ChaCha8Rng::seed_from_u64(0))
}

#[test]
fn filter_banks_are_librosas_and_torchaudios() {
    let golden = Golden::open();
    let thirds: Vec<usize> = (0..303).step_by(3).collect();
    for (scale, name, tolerance) in [
        (MelScale::Slaney, "filters.slaney", 1e-8),
        (MelScale::Htk, "filters.htk", 1e-5),
    ] {
        let filters = scale.filters();
        let got = filters.select(Axis(0), &thirds);
        let (largest, _) = largest_difference(got, &golden.floats(name), name);
        assert!(largest < tolerance, "{name}: {largest}");
        // Nothing is heard above 14 kHz.
        assert!(
            filters
                .slice(ndarray::s![300.., ..])
                .iter()
                .all(|&w| w == 0.0)
        );
    }
}

#[test]
fn sound_files_decode_as_soundfile_decodes_them() {
    let golden = Golden::open();
    for name in golden.names("decoded.") {
        let recording = decode(&root().join("tests/data/audio").join(&name)).unwrap();
        let (largest, _) = largest_difference(
            recording.samples,
            &golden.floats(&format!("decoded.{name}")),
            &name,
        );
        let lossy = name.ends_with("ogg") || name.ends_with("mp3");
        // Lossless formats exactly, but for the order in which six channels are summed.
        assert!(
            largest <= if lossy { 1e-4 } else { 3e-8 },
            "{name}: {largest}"
        );
        assert_eq!(
            recording.channels,
            if name.contains("six") {
                6
            } else {
                1 + u16::from(name != "float_32.wav")
            }
        );
        assert!(EXTENSIONS.contains(&name.rsplit('.').next().unwrap()));
    }
}

/// `scripts/parity/formats.py` makes them.
#[test]
fn every_container_and_codec_decodes_as_ffmpeg_decodes_it() {
    let golden = Golden::of("formats");
    let names = golden.names("decoded.");
    for name in &names {
        let path = root().join("tests/data/formats").join(name);
        let recording = decode(&path).unwrap();
        let expected = golden.floats(&format!("decoded.{name}"));
        let (largest, _) = largest_difference(recording.samples, &expected, name);
        let lossless = [
            "pcm", "law", "float", "adpcm", "endian", "rf64", "alac", "flac",
        ];
        let bound = match name {
            // libopus as ffmpeg calls it rounds to 16 bits.
            name if name.contains("opus") => 2e-5,
            name if lossless.iter().any(|kind| name.contains(kind)) => 3e-8,
            // AAC, MP3 and Vorbis.
            _ => 1e-5,
        };
        assert!(largest <= bound, "{name}: {largest}");
        let ending = name.rsplit('.').next().unwrap();
        // Of films one does not expect that a folder of sound has them.
        assert!(EXTENSIONS.contains(&ending) || matches!(ending, "mp4" | "mov"));
    }
    let kinds = names.iter().map(|name| name.rsplit('.').next().unwrap());
    assert_eq!(kinds.collect::<std::collections::BTreeSet<_>>().len(), 13);
}

#[test]
fn a_hundredth_of_a_second_goes_all_the_way() {
    let samples = resample(&signal(320), 32_000, CLAP_RATE_HZ);
    assert_eq!(samples.len(), 480);
    let front_end = ClapFrontEnd::new(true, FusionShrink::Plain);
    let crops = drawn(&front_end, samples.len(), "seeded");
    assert_eq!(crops, Crops::default());
    let features = front_end.features(&samples, &crops).unwrap();
    assert!(features.log_mel.iter().all(|x| x.is_finite()) && !features.longer);
}
