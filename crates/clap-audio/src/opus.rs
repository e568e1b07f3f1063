//! Opus packets to samples, for the containers that carry them.
//!
//! Through `rusty-opus`, a port of libopus in Rust: symphonia has no Opus, and its adapter to libopus needs CMake wherever the
//! program is built. Headers as in RFC 7845.

use rusty_opus::OpusDecoder;

/// Opus is always decoded at this rate [Hz].
pub(super) const RATE_HZ: u32 = 48_000;
/// Samples per channel of the longest packet, 120 ms.
const MOST_SAMPLES: usize = 5_760;

/// The decoder of one track.
pub(super) struct Opus {
    decoder: OpusDecoder,
    channels: usize,
    /// What every sample is multiplied by, as the header says.
    gain: f32,
    samples: Vec<f32>,
}

/// What the header of a track says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Head {
    /// 1 or 2: the library (1.0.2) takes the several streams of a packet of more channels apart wrongly.
    channels: usize,
    /// Samples that come before the first one of the sound.
    pub(super) pre_skip: u16,
    gain: f32,
}

impl Head {
    /// The identification header `OpusHead`; `None` if it is damaged, or if its packets hold several streams.
    pub(super) fn read(header: &[u8]) -> Option<Self> {
        let rest = header.strip_prefix(b"OpusHead")?;
        let &[
            _,
            channels,
            p,
            q,
            _,
            _,
            _,
            _,
            g,
            h,
            family,
            ref mapping @ ..,
        ] = rest
        else {
            return None;
        };
        let is_one_stream = match (family, channels) {
            (0, 1 | 2) => true,
            (1, 1) => mapping.starts_with(&[1, 0, 0]),
            (1, 2) => mapping.starts_with(&[1, 1, 0, 1]),
            _ => false,
        };
        let decibels = f32::from(i16::from_le_bytes([g, h])) / 256.0;
        is_one_stream.then(|| Self {
            channels: usize::from(channels),
            pre_skip: u16::from_le_bytes([p, q]),
            gain: 10f32.powf(decibels / 20.0),
        })
    }

    /// Of a container that says nothing but the number of channels.
    pub(super) fn plain(channels: usize) -> Self {
        Self {
            channels,
            pre_skip: 0,
            gain: 1.0,
        }
    }
}

impl Opus {
    /// # Errors
    /// More channels than two.
    pub(super) fn new(head: Head) -> Result<Self, rusty_opus::Error> {
        Ok(Self {
            decoder: OpusDecoder::new(RATE_HZ as i32, head.channels)?,
            channels: head.channels,
            gain: head.gain,
            samples: vec![0.0; MOST_SAMPLES * head.channels],
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// The samples of a packet, interleaved.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Result<&[f32], rusty_opus::Error> {
        // An empty packet would be made up for as if it had been lost.
        if packet.is_empty() {
            return Err(rusty_opus::Error::InvalidPacket("it has no bytes"));
        }
        let count = self
            .decoder
            .decode(packet, MOST_SAMPLES, &mut self.samples)?;
        let samples = &mut self.samples[..count * self.channels];
        if self.gain != 1.0 {
            samples.iter_mut().for_each(|sample| *sample *= self.gain);
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(channels: u8, gain: i16, rest: &[u8]) -> Vec<u8> {
        let [g, h] = gain.to_le_bytes();
        [
            b"OpusHead\x01",
            &[channels, 0x38, 0x01, 0, 0, 0, 0, g, h][..],
            rest,
        ]
        .concat()
    }

    #[test]
    fn headers_say_channels_gain_and_what_to_skip() {
        let stereo = Head::read(&header(2, 0, &[0])).unwrap();
        assert_eq!(
            (stereo.channels, stereo.pre_skip, stereo.gain),
            (2, 312, 1.0)
        );
        let louder = Head::read(&header(1, 6 * 256, &[0])).unwrap();
        assert!((louder.gain - 1.995_262).abs() < 1e-5);
        let mapped = Head::read(&header(2, 0, &[1, 1, 1, 0, 1])).unwrap();
        assert_eq!(mapped, stereo);
        for bad in [
            header(3, 0, &[0]),
            header(6, 0, &[1, 4, 2, 0, 4, 1, 2, 3, 5]),
            header(2, 0, &[1, 2, 0, 0, 1]),
            header(2, 0, &[255, 1, 1, 0, 1]),
            header(0, 0, &[0]),
            header(2, 0, &[]),
            b"OpusTags".to_vec(),
        ] {
            assert_eq!(Head::read(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn packets_that_are_none_are_errors() {
        let mut opus = Opus::new(Head::plain(2)).unwrap();
        assert!(opus.decode(&[]).is_err());
        assert!(opus.decode(&[0xff, 0xff, 0xff]).is_err());
    }
}
