//! The format that the first bytes of a file announce.

use super::container::Container;

/// Bytes that are looked at: of an Ogg, its first page's header and the name of its codec.
pub(super) const BYTES: usize = 36;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Format {
    /// RIFF, RF64 and BW64.
    Wav,
    /// Sony's, for more than 4 GiB.
    Wave64,
    Compressed(Container),
    /// One that people have and this program does not read.
    Other {
        name: &'static str,
        /// What to do instead.
        way: &'static str,
    },
}

impl Format {
    fn converted(name: &'static str) -> Self {
        Self::Other { name, way: CONVERT }
    }
}

const CONVERT: &str = "convert it, for instance: ffmpeg -i FILE out.wav";
const UNPACK: &str = "unpack it";

/// What is not read, by its first bytes, and what to do instead.
const OTHERS: [(&[u8], &str, &str); 13] = [
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA", CONVERT),
    (b"#!AMR", "AMR", CONVERT),
    (b"wvpk", "WavPack", CONVERT),
    (b"MAC ", "Monkey's Audio", CONVERT),
    (b"DSD ", "DSD", CONVERT),
    (b"FRM8", "DSD", CONVERT),
    (
        b"MThd",
        "MIDI",
        "it holds notes and no sound: let a synthesizer play it into a WAV",
    ),
    (b"PK\x03\x04", "a ZIP archive", UNPACK),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"%PDF", "a PDF", "name a sound file"),
    (
        b"version https://",
        "a Git LFS pointer",
        "fetch the file itself: git lfs pull",
    ),
];

/// The format that a file's first (up to [`BYTES`]) bytes announce; `None` if they are of no known one.
pub(super) fn sniff(start: &[u8]) -> Option<Format> {
    use Format::Compressed;
    let four = |at: usize| start.get(at..at + 4).unwrap_or_default();
    match (four(0), four(8)) {
        // The latter two are for more than 4 GiB.
        (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => Some(Format::Wav),
        (b"FORM", b"AIFF" | b"AIFC") => Some(Compressed(Container::Aiff)),
        (b"fLaC", _) => Some(Compressed(Container::Flac)),
        (b"OggS", _) if start.ends_with(b"Speex   ") => Some(Format::converted("Ogg Speex")),
        (b"OggS", _) => Some(Compressed(Container::Ogg)),
        (b"caff", _) => Some(Compressed(Container::Caf)),
        (b"\x1a\x45\xdf\xa3", _) => Some(Compressed(Container::Matroska)),
        _ if four(4) == b"ftyp" => Some(Compressed(Container::Mp4)),
        _ if start.starts_with(b"ID3") => Some(Compressed(Container::Mp3)),
        _ if start.starts_with(&super::wave64::RIFF) => Some(Format::Wave64),
        _ => mpeg(start).or_else(|| other(start)),
    }
}

/// What a frame of MPEG audio begins with: 11 bits of sync, a version, a layer.
fn mpeg(start: &[u8]) -> Option<Format> {
    let &[0xff, b, c, ..] = start else {
        return None;
    };
    // Layer III (01), and neither version (01), bit rate nor sample rate are those that are reserved.
    let is_layer_3 = b & 0xe6 == 0xe2 && b & 0x18 != 0x08 && c & 0xf0 != 0xf0 && c & 0x0c != 0x0c;
    // The same sync with layer 0.
    let is_adts = b & 0xf6 == 0xf0;
    match (is_layer_3, is_adts) {
        (true, _) => Some(Format::Compressed(Container::Mp3)),
        (false, true) => Some(Format::converted("AAC without a container (ADTS)")),
        (false, false) => None,
    }
}

fn other(start: &[u8]) -> Option<Format> {
    let found = OTHERS.iter().find(|(magic, ..)| start.starts_with(magic));
    found.map(|&(_, name, way)| Format::Other { name, way })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        for name in ["RIFF", "RF64", "BW64"] {
            let start = [name.as_bytes(), b"\x00\x00\x00\x00WAVEfmt "].concat();
            assert_eq!(sniff(&start), Some(Format::Wav));
        }
        for (start, container) in [
            (&b"fLaC\x00"[..], Container::Flac),
            (b"OggS\x00", Container::Ogg),
            (b"ID3\x04", Container::Mp3),
            (b"\xff\xfb\x90\x64", Container::Mp3),
            (b"\x00\x00\x00\x20ftypM4A ", Container::Mp4),
            (b"FORM\x00\x00\x00\x00AIFF", Container::Aiff),
            (b"FORM\x00\x00\x00\x00AIFC", Container::Aiff),
            (b"caff\x00\x01", Container::Caf),
            (b"\x1a\x45\xdf\xa3\x9f", Container::Matroska),
        ] {
            assert_eq!(sniff(start), Some(Format::Compressed(container)));
        }
        assert_eq!(sniff(&super::super::wave64::RIFF), Some(Format::Wave64));
        for (start, expected) in [
            (&b"PK\x03\x04\x14"[..], "a ZIP archive"),
            (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "WMA"),
            (b"\xff\xf1\x4c\x80", "AAC without a container (ADTS)"),
        ] {
            let found = sniff(start);
            assert!(matches!(found, Some(Format::Other { name, .. }) if name == expected));
        }
        for other in [
            &b"RIFF\x00\x00\x00\x00AVI "[..],
            b"FORM\x00\x00\x00\x00ILBM",
            b"\xff\xfeh\x00i\x00",
            b"{\"a\": 1}",
            b"RI",
            b"\xff",
            b"",
        ] {
            assert_eq!(sniff(other), None, "{other:?}");
        }
    }
}
