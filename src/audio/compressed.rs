//! FLAC, Ogg Vorbis and MP3 through `symphonia`.

use std::fs::File;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;

use super::decode::{Heard, Mono, Sink};
use super::error::AudioFault;
use crate::guard::guarded;
use crate::wording::Foreign;

/// What the first bytes announce.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Container {
    Flac,
    Ogg,
    Mp3,
}

impl Container {
    fn name(self) -> &'static str {
        match self {
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Mp3 => "MP3",
        }
    }

    fn undecodable(self, error: impl ToString) -> AudioFault {
        AudioFault::Undecodable {
            format: self.name(),
            reason: Foreign::said(error.to_string()),
        }
    }
}

/// Decode the first audio track, encoder delay and padding trimmed.
pub(super) fn read(file: File, container: Container, sink: Sink) -> Result<Heard, AudioFault> {
    // symphonia's Vorbis reader panics on some codebooks that no encoder writes (0.6.1).
    guarded(|| decode(file, container, sink))
        .unwrap_or_else(|| Err(container.undecodable("the decoder cannot make sense of it")))
}

fn decode(file: File, container: Container, sink: Sink) -> Result<Heard, AudioFault> {
    let source: Box<dyn MediaSource> = match container {
        // From a file that it can seek in, symphonia guesses the length of an MP3 without a Xing header from its first
        // bit rates, and trims what lies beyond the guess.
        Container::Mp3 => Box::new(ReadOnlySource::new(file)),
        Container::Flac | Container::Ogg => Box::new(file),
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
