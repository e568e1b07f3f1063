//! Damaged, cut-off and hostile sound files: an error that says what is wrong, never a short read or a panic.

use std::fs;
use std::path::{Path, PathBuf};

use clap_audio::{AudioFault, Told, decode, each_block};

const SOUND_FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/audio");

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("piece.wav");
        fs::write(&path, bytes).unwrap();
        path
    }

    fn fault(&self, bytes: &[u8]) -> AudioFault {
        let error = decode(&self.write(bytes)).expect_err("this file must be refused");
        assert!(error.to_string().contains("piece.wav"), "{error}");
        error.fault
    }

    fn samples(&self, bytes: &[u8]) -> Vec<f32> {
        decode(&self.write(bytes)).unwrap().samples
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(SOUND_FILES).join(name)).unwrap()
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32).to_le_bytes();
    let padding = vec![0; body.len() % 2];
    [name, &size, body, &padding].concat()
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [
        b"RIFF",
        &(body.len() as u32 + 4).to_le_bytes()[..],
        b"WAVE",
        &body,
    ]
    .concat()
}

/// A `fmt ` chunk's body of 16 bytes.
fn format(tag: u16, channels: u16, rate: u32, block: u16, bits: u16) -> Vec<u8> {
    [
        &tag.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &rate.wrapping_mul(u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat()
}

fn wav(format: Vec<u8>, data: &[u8]) -> Vec<u8> {
    riff(&[chunk(b"fmt ", &format), chunk(b"data", data)])
}

#[test]
fn a_header_that_claims_more_than_the_file_holds() {
    let folder = Folder::new();
    let whole = wav(format(1, 2, 32_000, 4, 16), &[0; 4000]);
    assert_eq!(folder.samples(&whole).len(), 1000);
    for cut in [2001, 3999, 4000, 4] {
        match folder.fault(&whole[..whole.len() - cut]) {
            AudioFault::CutOff {
                claimed: 1000,
                held,
            } => assert_eq!(held, (4000 - cut as u64) / 4),
            other => panic!("{other}"),
        }
    }
    // A claim of gigabytes costs none.
    let mut huge = whole.clone();
    huge[40..44].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    assert!(matches!(
        folder.fault(&huge),
        AudioFault::CutOff { held: 1000, .. }
    ));
}

/// Samples, and what was told of the file.
fn heard(folder: &Folder, bytes: &[u8]) -> (Vec<f32>, Option<Told>) {
    let mut samples = Vec::new();
    let heard = each_block(&folder.write(bytes), |_, block| {
        samples.extend_from_slice(block)
    });
    (samples, heard.unwrap().told)
}

#[test]
fn headers_that_were_never_completed_are_read_to_the_end_of_the_file() {
    let folder = Folder::new();
    let data: Vec<u8> = (0..50i16).flat_map(i16::to_le_bytes).collect();
    let whole = wav(format(1, 1, 32_000, 2, 16), &data);
    let (expected, told) = heard(&folder, &whole);
    assert_eq!((expected.len(), told), (50, None));
    // ffmpeg to a pipe, a recorder that was switched off, SoX to a pipe, nobody.
    for unknown in [u32::MAX, 0x7fff_ffff, 0x7fff_f000, 0] {
        let mut piped = whole.clone();
        piped[40..44].copy_from_slice(&unknown.to_le_bytes());
        piped[4..8].copy_from_slice(&36u32.to_le_bytes());
        let (samples, told) = heard(&folder, &piped);
        assert_eq!(
            (samples, told),
            (expected.clone(), Some(Told::LengthUnknown))
        );
        // An odd byte at the end is no sample.
        piped.push(7);
        assert_eq!(heard(&folder, &piped).0, expected);
    }
}

#[test]
fn a_last_sample_that_is_not_whole_is_left_out_and_told() {
    let folder = Folder::new();
    let whole = wav(format(1, 2, 32_000, 4, 16), &[1; 400]);
    for cut in 1..4 {
        let (samples, told) = heard(&folder, &whole[..whole.len() - cut]);
        assert_eq!((samples.len(), told), (99, Some(Told::PartOfSample)));
    }
    // The chunk itself has a part of a sample, and padding.
    let (samples, told) = heard(&folder, &wav(format(1, 2, 32_000, 4, 16), &[1; 403]));
    assert_eq!((samples.len(), told), (100, Some(Told::PartOfSample)));
    // Bytes beyond the end are nobody's.
    let (samples, told) = heard(&folder, &[&whole[..], &[9; 21]].concat());
    assert_eq!((samples.len(), told), (100, None));
}

#[test]
fn a_chunk_of_odd_size_without_its_padding() {
    let folder = Folder::new();
    let data = [1, 0, 2, 0];
    let unpadded = [&b"LIST\x03\0\0\0abc"[..]].concat();
    let chunks = |list: &[u8]| {
        riff(&[
            chunk(b"fmt ", &format(1, 1, 32_000, 2, 16)),
            list.to_vec(),
            chunk(b"data", &data),
        ])
    };
    let expected = folder.samples(&chunks(&chunk(b"LIST", b"abc")));
    assert_eq!(expected.len(), 2);
    assert_eq!(folder.samples(&chunks(&unpadded)), expected);
}

/// What is beyond 4 GiB says so in a chunk of its own; a short file may have the same form.
#[test]
fn rf64_and_bw64() {
    let folder = Folder::new();
    let sizes = [
        &80u64.to_le_bytes()[..],
        &8u64.to_le_bytes(),
        &4u64.to_le_bytes(),
        &[0; 4],
    ]
    .concat();
    let mut file = riff(&[
        chunk(b"ds64", &sizes),
        chunk(b"fmt ", &format(1, 1, 32_000, 2, 16)),
        chunk(b"data", &[1, 0, 2, 0, 3, 0, 4, 0]),
        chunk(b"LIST", b"behind the samples"),
    ]);
    let data = file.windows(4).position(|name| name == b"data").unwrap();
    file[data + 4..data + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    file[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    for name in [b"RF64", b"BW64"] {
        file[..4].copy_from_slice(name);
        let (samples, told) = heard(&folder, &file);
        assert_eq!((samples.len(), told), (4, None));
    }
    // A claim of terabytes.
    let size = file.windows(4).position(|name| name == b"ds64").unwrap() + 16;
    file[size..size + 8].copy_from_slice(&(1u64 << 42).to_le_bytes());
    assert!(matches!(folder.fault(&file), AudioFault::CutOff { .. }));
}

#[test]
fn a_law_and_mu_law() {
    let folder = Folder::new();
    // Silence and the loudest samples of both laws.
    for (tag, stored, expected) in [
        (6, [0xd5, 0xaa, 0x2a], [8.0, 32_256.0, -32_256.0]),
        (7, [0xff, 0x80, 0x00], [0.0, 32_124.0, -32_124.0]),
    ] {
        let samples = folder.samples(&wav(format(tag, 1, 8_000, 1, 8), &stored));
        assert_eq!(samples, expected.map(|sample: f32| sample / 32_768.0));
    }
}

#[test]
fn no_samples() {
    let folder = Folder::new();
    assert!(matches!(
        folder.fault(&wav(format(1, 1, 32_000, 2, 16), &[])),
        AudioFault::NoSamples
    ));
    let tagged = riff(&[
        chunk(b"fmt ", &format(1, 1, 32_000, 2, 16)),
        chunk(b"data", &[]),
        chunk(b"LIST", b"INFO"),
    ]);
    assert!(matches!(folder.fault(&tagged), AudioFault::NoSamples));
}

#[test]
fn samples_that_are_no_numbers() {
    let folder = Folder::new();
    for (value, bytes) in [(f32::NAN, 4), (f32::INFINITY, 4), (f32::NEG_INFINITY, 8)] {
        let mut data = vec![0; 10 * bytes];
        let stored = f64::from(value).to_le_bytes();
        let stored = if bytes == 8 {
            stored.to_vec()
        } else {
            value.to_le_bytes().to_vec()
        };
        data[7 * bytes..8 * bytes].copy_from_slice(&stored);
        let file = wav(format(3, 1, 32_000, bytes as u16, 8 * bytes as u16), &data);
        assert!(matches!(
            folder.fault(&file),
            AudioFault::NotFinite { index: 7, .. }
        ));
    }
}

#[test]
fn formats_that_make_no_sense() {
    let folder = Folder::new();
    let with = |format: Vec<u8>| folder.fault(&wav(format, &[0; 24]));
    assert!(matches!(
        with(format(1, 0, 32_000, 2, 16)),
        AudioFault::NoChannels
    ));
    assert!(matches!(
        with(format(1, 1, 0, 2, 16)),
        AudioFault::SampleRate(0)
    ));
    assert!(matches!(
        with(format(1, 1, u32::MAX, 2, 16)),
        AudioFault::SampleRate(u32::MAX)
    ));
    assert!(matches!(
        with(format(1, 2, 32_000, 0, 16)),
        AudioFault::WavHeader(_)
    ));
    assert!(matches!(
        with(format(1, 2, 32_000, 5, 16)),
        AudioFault::WavHeader(_)
    ));
    assert!(matches!(
        with(format(1, 1, 32_000, 2, 65_535)),
        AudioFault::WavHeader(_)
    ));
    assert!(
        matches!(with(format(1, 1, 32_000, 9, 16)), AudioFault::WavHeader(_)),
        "24 is no multiple of 9"
    );
    assert!(matches!(with(vec![1, 0, 1, 0]), AudioFault::WavHeader(_)));
    for (tag, bits, name) in [
        (6, 16, "16-bit G.711"),
        (0x55, 8, "MP3"),
        (1, 64, "64-bit PCM"),
        (3, 16, "16-bit float"),
    ] {
        match with(format(tag, 1, 32_000, bits / 8, bits)) {
            AudioFault::WavEncoding(found) => assert!(found.to_string().contains(name), "{found}"),
            other => panic!("{other}"),
        }
    }
    let no_format = riff(&[chunk(b"data", &[0; 8])]);
    assert!(matches!(folder.fault(&no_format), AudioFault::WavHeader(_)));
    let no_data = riff(&[chunk(b"fmt ", &format(1, 1, 32_000, 2, 16))]);
    assert!(matches!(folder.fault(&no_data), AudioFault::WavHeader(_)));
}

#[test]
fn forms_that_occur_and_are_read() {
    let folder = Folder::new();
    let data: Vec<u8> = [0.25f32, -0.5]
        .iter()
        .flat_map(|x| ((x * 2f32.powi(31)) as i32).to_le_bytes())
        .collect();
    let int_32 = format(1, 1, 32_000, 4, 32);
    // A chunk of odd size before the samples, chunks after them, a `fmt ` chunk with an extension.
    let padded = riff(&[
        chunk(b"LIST", b"odd"),
        chunk(b"fmt ", &[&int_32[..], &[0, 0]].concat()),
        chunk(b"data", &data),
        chunk(b"LIST", b"INFO"),
    ]);
    assert_eq!(folder.samples(&padded), [0.25, -0.5]);
    // 20 valid bits in 24, at the top of the container.
    let guid = b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
    let valid_20 = [
        &format(0xfffe, 1, 48_000, 3, 24)[..],
        &[22, 0, 20, 0, 0, 0, 0, 0],
        guid,
    ]
    .concat();
    assert_eq!(
        folder.samples(&wav(valid_20, &[0, 0, 0x20, 0, 0, 0xc0])),
        [0.25, -0.5]
    );
    // A name says nothing.
    fs::write(folder.0.path().join("flac.mp3"), fixture("pcm_16.flac")).unwrap();
    assert_eq!(
        decode(&folder.0.path().join("flac.mp3"))
            .unwrap()
            .samples
            .len(),
        5000
    );
}

#[test]
fn compressed_files_that_were_cut_off() {
    let folder = Folder::new();
    for name in ["pcm_16.flac", "vorbis.ogg", "layer_3.mp3"] {
        let whole = fixture(name);
        assert_eq!(folder.samples(&whole).len(), 5000, "{name}");
        for part in 1..20 {
            let fault = folder.fault(&whole[..whole.len() * part / 20]);
            assert!(
                matches!(
                    fault,
                    AudioFault::CutOff { .. }
                        | AudioFault::Undecodable { .. }
                        | AudioFault::NoSamples
                ),
                "{name} {part}/20: {fault}"
            );
        }
    }
}

#[test]
fn compressed_files_with_damaged_bytes_never_panic() {
    let folder = Folder::new();
    for name in [
        "pcm_16.flac",
        "vorbis.ogg",
        "layer_3.mp3",
        "pcm_24.wav",
        "extensible_24.wav",
    ] {
        let whole = fixture(name);
        let mut state = 1u64;
        for _ in 0..150 {
            let mut damaged = whole.clone();
            for _ in 0..3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                // The first bytes are where the lengths stand.
                let reach = if state >> 63 == 0 { 80 } else { damaged.len() };
                let at = (state >> 33) as usize % reach;
                damaged[at] = (state >> 20) as u8;
            }
            if let Ok(recording) = decode(&folder.write(&damaged)) {
                assert!(recording.samples.iter().all(|x| x.is_finite()), "{name}");
            }
        }
    }
}

/// Codebooks that no encoder writes, in a page with the right checksum: the decoder itself panics on these.
#[test]
fn vorbis_codebooks_that_break_the_decoder() {
    let folder = Folder::new();
    let whole = fixture("vorbis.ogg");
    let page = 58..4333; // the second one, with the comments and the codebooks
    assert!(whole[page.start..].starts_with(b"OggS") && whole[page.end..].starts_with(b"OggS"));
    for (at, value) in [(1675, 0xff), (3143, 32), (3212, 104)] {
        let mut damaged = whole.clone();
        damaged[at] = value;
        damaged[page.start + 22..page.start + 26].fill(0);
        let checksum = ogg_checksum(&damaged[page.clone()]);
        damaged[page.start + 22..page.start + 26].copy_from_slice(&checksum.to_le_bytes());
        assert!(matches!(
            folder.fault(&damaged),
            AudioFault::Undecodable { format: "Ogg", .. }
        ));
    }
}

/// The CRC-32 of Ogg (RFC 3533): polynomial 0x04c11db7, nothing reflected or inverted.
fn ogg_checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 24, |sum: u32, _| {
            if sum >> 31 == 1 {
                sum << 1 ^ 0x04c1_1db7
            } else {
                sum << 1
            }
        })
    })
}

fn formats() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(SOUND_FILES).join("../formats");
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    files.collect()
}

#[test]
fn files_that_are_cut_off_anywhere_are_errors_whatever_their_format() {
    let folder = Folder::new();
    for (name, bytes) in formats() {
        if name == "picture_only.mp4" {
            continue;
        }
        let whole = folder.samples(&bytes).len();
        for part in [1, 30, 50, 75, 95, 99] {
            let cut = &bytes[..bytes.len() * part / 100];
            // What is cut off may be an index at the end, or what fills a last block.
            let Ok(recording) = decode(&folder.write(cut)) else {
                continue;
            };
            let samples = recording.samples.len();
            assert!(
                part >= 95 && samples == whole,
                "{name} {part} {samples} {whole}"
            );
        }
    }
}

#[test]
fn what_is_no_sound_is_named_for_what_it_is() {
    let folder = Folder::new();
    let picture = fixture("../formats/picture_only.mp4");
    assert!(matches!(folder.fault(&picture), AudioFault::NoTrack));
    let mut locked = fixture("../formats/aac.m4a");
    let at = locked.windows(4).rposition(|four| four == b"mp4a").unwrap();
    locked[at..at + 4].copy_from_slice(b"drms");
    assert!(matches!(folder.fault(&locked), AudioFault::Protected));
    for (bytes, expected) in [
        (
            &b"PK\x03\x04\x14\0\0\0"[..],
            "it is a ZIP archive, which is not read; unpack it",
        ),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
        (b"#!AMR\n", "AMR"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "git lfs pull",
        ),
    ] {
        let error = folder.fault(bytes).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn claims_and_holes_of_gigabytes_cost_none() {
    let folder = Folder::new();
    // As many samples in a packet as 32 bits can say.
    let mut packets = fixture("../formats/pcm_24.caf");
    packets[40..44].fill(0xff);
    let error = folder.fault(&packets).to_string();
    assert!(error.contains("more channels or samples"), "{error}");
    let size = 6u64 << 30;
    let wide = size.to_be_bytes();
    let starts = [
        [&b"\0\0\0\x10ftypM4A \0\0\0\0\0\0\0\x01moov"[..], &wide].concat(),
        [&b"\0\0\0\x10ftypM4A \0\0\0\0"[..], b"\0\0\0\0moov"].concat(),
        [&b"caff\0\x01\0\0kuki"[..], &wide].concat(),
        b"FORM\xff\xff\xff\xffAIFFNAME\xff\xff\xff\0".to_vec(),
        b"FORM\xff\xff\xff\xffAIFFID3 \xff\xff\xff\0".to_vec(),
        // A segment, its tracks, and a header of codec of 4 GiB.
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\0\0\x01\0\0\0\0\x16\x54\xae\x6b\x01\0\0\x01\0\0\0\0\xae\x01\0\0\x01\0\0\0\0\x63\xa2\x01\0\0\x01\0\0\0\0".to_vec(),
        b"OggS\0\x02\0\0\0\0\0\0\0\0".to_vec(),
    ];
    for start in starts {
        let path = folder.write(&start);
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(size)
            .unwrap();
        assert!(decode(&path).is_err(), "{start:?}");
    }
}
