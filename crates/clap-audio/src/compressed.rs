//! FLAC, Ogg Vorbis and MP3 through `symphonia`.

use std::fs::File;

use foreign::Foreign;
use foreign::guarded;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

use super::container::Container;
use super::error::AudioFault;
use super::mono::{Heard, Mono, Sink};
use super::tags;

/// Entries of all codebooks of a Vorbis stream; the encoder's largest have 20,000 in all. symphonia (0.6.1) takes up to a kilobyte
/// for each, and 20 bytes of a file make a codebook of 131,072.
const MOST_CODEBOOK_ENTRIES: u64 = 1 << 16;

/// Decode the first audio track, encoder delay and padding trimmed.
pub(super) fn read(file: File, container: Container, sink: Sink) -> Result<Heard, AudioFault> {
    // symphonia's Vorbis reader panics on some codebooks that no encoder writes (0.6.1).
    guarded(|| decode(file, container, sink))
        .unwrap_or_else(|| Err(container.undecodable("the decoder cannot make sense of it")))
}

fn decode(file: File, container: Container, sink: Sink) -> Result<Heard, AudioFault> {
    let source: Box<dyn MediaSource> = match container {
        Container::Flac | Container::Mp3 => tags::passed(file, container)?,
        // The length of an Ogg stands at its end.
        Container::Ogg => Box::new(file),
    };
    let stream = MediaSourceStream::new(source, Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|e| match e {
            Error::Unsupported(_) => container.undecodable("no audio is found in it"),
            other => container.undecodable(other),
        })?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| container.undecodable("it has no audio track"))?;
    let (id, claimed) = (track.id, track.num_frames);
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|p| p.audio())
        .ok_or_else(|| container.undecodable("its audio track is of an unknown kind"))?;
    if let (Container::Ogg, Some(header)) = (container, &parameters.extra_data)
        && codebook_entries(header) > MOST_CODEBOOK_ENTRIES
    {
        return Err(container.undecodable("its codebooks are larger than any encoder's"));
    }
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default().verify(true))
        .map_err(|e| match e {
            Error::Unsupported(reason) => AudioFault::Codec {
                format: container.name(),
                reason: Foreign::said(reason),
            },
            other => container.undecodable(other),
        })?;
    let mono = drain(format.as_mut(), decoder.as_mut(), (id, container), sink)?;
    let held = mono.len() as u64;
    match claimed {
        Some(claimed) if held < claimed => return Err(AudioFault::CutOff { claimed, held }),
        _ => {}
    }
    // FLAC carries an MD5 sum of its samples.
    if decoder.finalize().verify_ok == Some(false) {
        return Err(container.undecodable("its samples do not have the checksum that it states"));
    }
    mono.finish()
}

/// Decode every packet of track `id`. A packet that does not decode is an error: to leave it out would shift what
/// comes after it.
fn drain<'s>(
    format: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    (id, container): (u32, Container),
    sink: Sink<'s>,
) -> Result<Mono<'s>, AudioFault> {
    let mut sink = Some(sink);
    let mut mono: Option<(Mono, u32, usize)> = None;
    let mut samples = Vec::new();
    while let Some(packet) = format.next_packet().map_err(|e| container.undecodable(e))? {
        if packet.track_id != id {
            continue;
        }
        let buffer = decoder
            .decode(&packet)
            .map_err(|e| container.undecodable(e))?;
        let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
        let (mono, ..) = match &mut mono {
            Some(known) if (known.1, known.2) == (rate, channels) => known,
            Some(_) => {
                return Err(container.undecodable("its rate or its channels change on the way"));
            }
            none => {
                let sink = sink.take().ok_or(AudioFault::NoSamples)?;
                none.insert((Mono::new(rate, channels, 0, sink)?, rate, channels))
            }
        };
        buffer.copy_to_vec_interleaved::<f32>(&mut samples);
        for &sample in &samples {
            mono.push(sample)?;
        }
    }
    mono.map(|(mono, ..)| mono).ok_or(AudioFault::NoSamples)
}

/// At least as many entries as the codebooks of a Vorbis setup header have that symphonia accepts.
///
/// Each begins with 24 bits that are always the same, 16 for its dimensions (1 to 32 are accepted) and 24 for its entries (up to
/// 131,072), from the lowest bit on and at any bit. That the same stands elsewhere by chance happens to one file in a hundred
/// million.
fn codebook_entries(header: &[u8]) -> u64 {
    const SYNC: u128 = 0x56_43_42;
    let mut entries = 0;
    let mut window = 0u128;
    for &byte in header.iter().chain(&[0; 9]) {
        // 72 bits: the 64 of a beginning that lies at any of the lowest 8.
        window = window >> 8 | u128::from(byte) << 64;
        for bit in 0..8 {
            let start = window >> bit;
            let (dimensions, claimed) = (start >> 24 & 0xffff, start >> 40 & 0xff_ffff);
            if start & 0xff_ffff == SYNC && (1..=32).contains(&dimensions) && claimed <= 131_072 {
                entries += claimed as u64;
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codebooks_are_counted_at_any_bit() {
        for bit in 0..24 {
            let book = |dimensions: u128, entries: u128| {
                let start = 0x56_43_42 | dimensions << 24 | entries << 40;
                (start << bit).to_le_bytes()
            };
            let header = [book(2, 625), book(32, 131_072), book(1, 1)].concat();
            assert_eq!(codebook_entries(&header), 131_698, "{bit}");
            assert_eq!(codebook_entries(&book(33, 5)), 0);
            assert_eq!(codebook_entries(&book(0, 5)), 0);
            assert_eq!(codebook_entries(&book(2, 131_073)), 0);
        }
        // At the very end, and cut off.
        let book = 0x56_43_42u64 | 2 << 24 | 9 << 40;
        assert_eq!(codebook_entries(&book.to_le_bytes()), 9);
        assert_eq!(codebook_entries(&[]), 0);
    }
}
