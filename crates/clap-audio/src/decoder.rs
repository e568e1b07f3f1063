//! Packets to samples: Opus by its own library, everything else by `symphonia`.

use foreign::Foreign;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_ADPCM_IMA_QT, CODEC_ID_MP3, CODEC_ID_PCM_ALAW, CODEC_ID_PCM_MULAW, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;

use super::opus::{self, Head, Opus};

pub(super) struct Decoder {
    kind: Kind,
    /// Interleaved, of the packet at hand.
    samples: Vec<f32>,
}

enum Kind {
    /// Whether it trims what the packets say to be no sound.
    Library(Box<dyn AudioDecoder>, bool),
    Opus(Box<Opus>),
}

/// The samples of a packet.
pub(super) struct Decoded<'d> {
    pub(super) rate_hz: u32,
    pub(super) channels: usize,
    /// Interleaved.
    pub(super) samples: &'d [f32],
}

impl Decoder {
    pub(super) fn library(parameters: &AudioCodecParameters) -> Result<Self, Error> {
        // As WAV's ADPCM but for the headers of the blocks; symphonia (0.6.1) makes other sound of it than ffmpeg.
        if parameters.codec == CODEC_ID_ADPCM_IMA_QT {
            return Err(Error::Unsupported("IMA ADPCM as QuickTime has it"));
        }
        let mut parameters = parameters.clone();
        if matches!(parameters.codec, CODEC_ID_PCM_ALAW | CODEC_ID_PCM_MULAW) {
            // Where 8 bits are stated, symphonia takes them for those of the samples.
            (parameters.bits_per_sample, parameters.bits_per_coded_sample) = (None, None);
        }
        let trims = matches!(parameters.codec, CODEC_ID_MP3 | CODEC_ID_VORBIS);
        let options = AudioDecoderOptions::default().verify(true);
        let decoder = symphonia::default::get_codecs().make_audio_decoder(&parameters, &options)?;
        Ok(Self {
            kind: Kind::Library(decoder, trims),
            samples: Vec::new(),
        })
    }

    pub(super) fn opus(head: Head) -> Result<Self, Error> {
        let opus =
            Opus::new(head).map_err(|_| Error::Unsupported("Opus of more than two channels"))?;
        Ok(Self {
            kind: Kind::Opus(Box::new(opus)),
            samples: Vec::new(),
        })
    }

    /// The samples of a packet without those that it says to be no sound.
    pub(super) fn decode(&mut self, packet: &Packet) -> Result<Decoded<'_>, DecodeError> {
        let (rate_hz, channels, trims) = match &mut self.kind {
            Kind::Library(decoder, trims) => {
                let buffer = decoder.decode(packet)?;
                buffer.copy_to_vec_interleaved::<f32>(&mut self.samples);
                let spec = buffer.spec();
                (spec.rate(), spec.channels().count(), *trims)
            }
            Kind::Opus(opus) => {
                self.samples.clear();
                self.samples.extend_from_slice(opus.decode(&packet.data)?);
                (opus::RATE_HZ, opus.channels(), false)
            }
        };
        let mut samples = self.samples.as_slice();
        if !trims {
            let many = |frames: u64| {
                let many = frames.saturating_mul(channels as u64);
                usize::try_from(many).unwrap_or(usize::MAX)
            };
            let end = samples.len() - many(packet.trim_end.get()).min(samples.len());
            let start = many(packet.trim_start.get()).min(end);
            samples = &samples[start..end];
        }
        Ok(Decoded {
            rate_hz,
            channels,
            samples,
        })
    }

    /// Whether the samples have the checksum that the file states; `None` if it states none.
    pub(super) fn is_right(&mut self) -> Option<bool> {
        match &mut self.kind {
            Kind::Library(decoder, _) => decoder.finalize().verify_ok,
            Kind::Opus(_) => None,
        }
    }
}

/// A packet that does not decode.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    #[error(transparent)]
    Library(#[from] Error),
    #[error("{0}")]
    Opus(Foreign),
}

impl From<rusty_opus::Error> for DecodeError {
    fn from(error: rusty_opus::Error) -> Self {
        Self::Opus(Foreign::said(error))
    }
}
