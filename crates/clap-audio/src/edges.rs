//! What an encoder put before and after the sound, left out.

use super::mp4::Lead;

/// What a file says of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edges {
    /// Before the sound.
    pub(super) lead: Lead,
    /// Before the sound, in samples per channel.
    pub(super) pre_skip: u64,
    /// After the sound [ns].
    pub(super) padding_ns: u64,
}

/// Passes on interleaved samples without the edges.
pub(super) struct Trimmed {
    channels: usize,
    /// Samples, of all channels, that are still to be left out.
    skip: u64,
    /// Samples, of all channels, that are held back: the last ones are never passed on.
    hold: usize,
    taken: u64,
    /// What is held back comes first.
    held: Vec<f32>,
    passed: usize,
}

impl Trimmed {
    /// Of sound at a rate [Hz], in some channels, of which there is one at least.
    pub(super) fn new(edges: Edges, (rate_hz, channels): (u32, usize)) -> Self {
        let skip = edges.lead.samples(rate_hz).saturating_add(edges.pre_skip);
        let hold = u128::from(edges.padding_ns) * u128::from(rate_hz) + 500_000_000;
        Self {
            channels,
            skip: skip.saturating_mul(channels as u64),
            hold: (hold / 1_000_000_000) as usize * channels,
            taken: 0,
            held: Vec::new(),
            passed: 0,
        }
    }

    /// What can be passed on once `samples` are here too.
    pub(super) fn next<'t>(&'t mut self, samples: &'t [f32]) -> &'t [f32] {
        self.taken += samples.len() as u64;
        let skip = usize::try_from(self.skip)
            .unwrap_or(usize::MAX)
            .min(samples.len());
        self.skip -= skip as u64;
        let samples = &samples[skip..];
        if self.hold == 0 {
            return samples;
        }
        self.held.drain(..self.passed);
        self.held.extend_from_slice(samples);
        self.passed = self.held.len().saturating_sub(self.hold);
        &self.held[..self.passed]
    }

    /// Samples per channel that came, the edges among them.
    pub(super) fn taken(&self) -> u64 {
        self.taken / self.channels.max(1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(pre_skip: u64, padding_ns: u64, packets: &[&[f32]]) -> (Vec<f32>, u64) {
        let edges = Edges {
            lead: Lead::default(),
            pre_skip,
            padding_ns,
        };
        let mut trimmed = Trimmed::new(edges, (1000, 2));
        let mut all = Vec::new();
        for packet in packets {
            all.extend_from_slice(trimmed.next(packet));
        }
        (all, trimmed.taken())
    }

    #[test]
    fn the_first_and_the_last_samples_are_left_out_wherever_packets_end() {
        let all: Vec<f32> = (0..20).map(|i| i as f32).collect();
        for cut in 0..=10 {
            let (a, b) = all.split_at(2 * cut);
            assert_eq!(passed(0, 0, &[a, b]), (all.clone(), 10));
            assert_eq!(passed(3, 0, &[a, b]), (all[6..].to_vec(), 10));
            assert_eq!(passed(3, 2_000_000, &[a, b]), (all[6..16].to_vec(), 10));
            assert!(passed(8, 2_000_000, &[a, b]).0.is_empty());
            assert!(passed(u64::MAX, 0, &[a, b]).0.is_empty());
        }
    }
}
