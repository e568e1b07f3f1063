//! FLAC, MP3, Ogg, MP4, AIFF, CAF and Matroska through `symphonia`.

use std::fs::File;

use foreign::guarded;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::formats::{
    AiffReader, CafReader, FlacReader, IsoMp4Reader, MkvReader, MpaReader, OggReader,
};

use super::container::Container;
use super::decoder::Decoder;
use super::edges::{Edges, Trimmed};
use super::error::AudioFault;
use super::metered::{self, Budget, Metered};
use super::mono::{Heard, Mono, Sink};
use super::opus::Head;
use super::{matroska, mp4, tags};

/// Entries of all codebooks of a Vorbis stream; the encoder's largest have 20,000 in all. symphonia (0.6.1) takes up to a kilobyte
/// for each, and 20 bytes of a file make a codebook of 131,072.
const MOST_CODEBOOK_ENTRIES: u64 = 1 << 16;

/// No recording has more channels, and no packet more samples per channel; symphonia (0.6.1) takes memory for as many as a header
/// states.
const MOST_CHANNELS: usize = 255;
const MOST_IN_PACKET: u64 = 1 << 17;

/// Decode the first audio track of a file of `length` bytes, encoder delay and padding trimmed.
pub(super) fn read(
    file: File,
    length: u64,
    container: Container,
    sink: Sink,
) -> Result<Heard, AudioFault> {
    // symphonia's Vorbis reader panics on some codebooks that no encoder writes (0.6.1).
    guarded(|| decode(file, length, container, sink))
        .unwrap_or_else(|| Err(container.undecodable("the decoder cannot make sense of it")))
}

fn decode(
    mut file: File,
    length: u64,
    container: Container,
    sink: Sink,
) -> Result<Heard, AudioFault> {
    let (mut lead, mut padding_ns) = (mp4::Lead::default(), 0);
    match container {
        Container::Mp4 => lead = mp4::lead(&mut file)?,
        Container::Matroska => padding_ns = matroska::padding_ns(&mut file, length)?,
        _ => {}
    }
    let source: Box<dyn MediaSource> = match container {
        Container::Flac | Container::Mp3 => tags::passed(file, container)?,
        // What is at its end is looked for there.
        _ => Box::new(file),
    };
    let budget = Budget::default();
    budget.set(metered::HEADERS);
    let mut format = open(Metered::new(source, budget.clone()), container)?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or(AudioFault::NoTrack)?
        .clone();
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|p| p.audio())
        .ok_or_else(|| container.codec("its audio track is of an unknown kind"))?;
    if parameters.channels.as_ref().map_or(0, |c| c.count()) > MOST_CHANNELS
        || parameters.max_frames_per_packet > Some(MOST_IN_PACKET)
    {
        return Err(
            container.undecodable("it states more channels or samples than any recording has")
        );
    }
    if let (CODEC_ID_VORBIS, Some(header)) = (parameters.codec, &parameters.extra_data)
        && codebook_entries(header) > MOST_CODEBOOK_ENTRIES
    {
        return Err(container.undecodable("its codebooks are larger than any encoder's"));
    }
    let head = opus_head(parameters, container)?;
    let mut decoder = match head {
        Some(head) => Decoder::opus(head),
        None => Decoder::library(parameters),
    }
    .map_err(|e| match e {
        Error::Unsupported(reason) => container.codec(reason),
        other => container.undecodable(other),
    })?;
    let edges = Edges {
        lead,
        // An MP4 says it in its edit list.
        pre_skip: match (container, head) {
            (Container::Ogg | Container::Matroska, Some(head)) => u64::from(head.pre_skip),
            _ => 0,
        },
        padding_ns,
    };
    let (heard, decoded) = drain(
        format.as_mut(),
        &mut decoder,
        (track.id, container),
        edges,
        &budget,
        sink,
    )?;
    let claimed = claimed(&track, parameters, container);
    match claimed {
        Some(claimed) if decoded < claimed => {
            return Err(AudioFault::CutOff {
                claimed,
                held: decoded,
            });
        }
        _ => {}
    }
    // FLAC carries an MD5 sum of its samples.
    if decoder.is_right() == Some(false) {
        return Err(container.undecodable("its samples do not have the checksum that it states"));
    }
    Ok(heard)
}

/// The reader of a container, and of no other one.
fn open(
    source: Metered,
    container: Container,
) -> Result<Box<dyn FormatReader + 'static>, AudioFault> {
    let mut probe = Probe::default();
    match container {
        Container::Flac => probe.register_format::<FlacReader<'_>>(),
        Container::Ogg => probe.register_format::<OggReader<'_>>(),
        Container::Mp3 => probe.register_format::<MpaReader<'_>>(),
        Container::Mp4 => probe.register_format::<IsoMp4Reader<'_>>(),
        Container::Aiff => probe.register_format::<AiffReader<'_>>(),
        Container::Caf => probe.register_format::<CafReader<'_>>(),
        Container::Matroska => probe.register_format::<MkvReader<'_>>(),
    }
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    probe
        .probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|e| match e {
            Error::Unsupported(reason) if reason.starts_with("core (probe)") => {
                container.undecodable("no audio is found in it")
            }
            Error::Unsupported(reason) => container.codec(reason),
            other => container.undecodable(other),
        })
}

/// The header of a track of Opus; `None` of other tracks.
fn opus_head(
    parameters: &AudioCodecParameters,
    container: Container,
) -> Result<Option<Head>, AudioFault> {
    if parameters.codec != CODEC_ID_OPUS {
        return Ok(None);
    }
    match (&parameters.extra_data, &parameters.channels) {
        (Some(header), _) => match Head::read(header) {
            None => Err(container.codec("Opus of more than two channels")),
            head => Ok(head),
        },
        (None, Some(channels)) => Ok(Some(Head::plain(channels.count()))),
        (None, None) => Err(container.undecodable("it does not say how many channels it has")),
    }
}

/// How many samples per channel a track says to have, where that can be relied on.
fn claimed(track: &Track, parameters: &AudioCodecParameters, container: Container) -> Option<u64> {
    // Of compressed packets, symphonia (0.6.1) counts the last one as a full one.
    let packets = matches!(
        parameters.codec,
        CODEC_ID_ALAC | CODEC_ID_AAC | CODEC_ID_OPUS
    );
    if container == Container::Caf && packets {
        return None;
    }
    track.num_frames
}

/// Decode every packet of track `id`; returns also how many samples per channel there were before the edges were trimmed. A
/// packet that does not decode is an error: to leave it out would shift what comes after it.
fn drain(
    format: &mut dyn FormatReader,
    decoder: &mut Decoder,
    (id, container): (u32, Container),
    edges: Edges,
    budget: &Budget,
    sink: Sink,
) -> Result<(Heard, u64), AudioFault> {
    let mut sink = Some(sink);
    let mut open: Option<(Mono, Trimmed, (u32, usize))> = None;
    loop {
        budget.set(metered::PACKET);
        let packet = format.next_packet().map_err(|e| container.undecodable(e))?;
        let Some(packet) = packet else {
            break;
        };
        if packet.track_id != id {
            continue;
        }
        let decoded = decoder
            .decode(&packet)
            .map_err(|e| container.undecodable(e))?;
        let shape = (decoded.rate_hz, decoded.channels);
        let (mono, trimmed, _) = match &mut open {
            Some(known) if known.2 == shape => known,
            Some(_) => {
                return Err(container.undecodable("its rate or its channels change on the way"));
            }
            none => {
                let sink = sink.take().ok_or(AudioFault::NoSamples)?;
                let mono = Mono::new(shape.0, shape.1, 0, sink)?;
                none.insert((mono, Trimmed::new(edges, shape), shape))
            }
        };
        for &sample in trimmed.next(decoded.samples) {
            mono.push(sample)?;
        }
    }
    let (mono, trimmed, _) = open.ok_or(AudioFault::NoSamples)?;
    Ok((mono.finish()?, trimmed.taken()))
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
