//! ADPCM of a WAV: blocks of 4 bits a sample, each with a header of its own, through `symphonia`.

use std::io::Read;

use symphonia::core::audio::layouts;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::error::AudioFault;
use super::mono::Mono;
use super::riff::{self, Adpcm, Header};

/// Decode the blocks of `data`, of `in_block` samples per channel each.
pub(super) fn read(
    mut data: impl Read,
    header: &Header,
    (kind, in_block): (Adpcm, u16),
    mono: &mut Mono,
) -> Result<(), AudioFault> {
    let mut decoder = decoder(header, kind, in_block).map_err(undecodable)?;
    let mut block = vec![0; usize::from(header.block_bytes)];
    let mut samples = Vec::new();
    let length = Duration::new(u64::from(in_block));
    while data
        .by_ref()
        .take(block.len() as u64)
        .read(&mut block[..1])?
        > 0
    {
        data.read_exact(&mut block[1..])?;
        let packet = Packet::new(0, Timestamp::ZERO, length, block.as_slice());
        let decoded = decoder.decode(&packet).map_err(undecodable)?;
        decoded.copy_to_vec_interleaved::<f32>(&mut samples);
        for &sample in &samples {
            mono.push(sample)?;
        }
    }
    Ok(())
}

fn decoder(header: &Header, kind: Adpcm, in_block: u16) -> Result<Box<dyn AudioDecoder>, Error> {
    let mut parameters = AudioCodecParameters::new();
    parameters
        .for_codec(match kind {
            Adpcm::Microsoft => CODEC_ID_ADPCM_MS,
            Adpcm::Ima => CODEC_ID_ADPCM_IMA_WAV,
        })
        .with_sample_rate(header.sample_rate_hz)
        .with_channels(match header.channels {
            1 => layouts::CHANNEL_LAYOUT_MONO,
            _ => layouts::CHANNEL_LAYOUT_STEREO,
        })
        .with_frames_per_block(u64::from(in_block))
        .with_max_frames_per_packet(u64::from(in_block));
    symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
}

fn undecodable(error: Error) -> AudioFault {
    riff::damaged(&error.to_string())
}
