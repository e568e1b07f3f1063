//! WAV files: PCM of 8, 16, 24 and 32 bit and 32-bit float through `hound`, 64-bit float (which it lacks) by hand.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};

use foreign::Foreign;

use super::error::AudioFault;
use super::mono::{Heard, Mono, Sink};
use super::riff::{Encoding, Header, read_header};

const BUFFER_BYTES: usize = 1 << 18;

/// Read a file of `length` bytes that begins as RIFF WAVE.
pub(super) fn read(mut file: File, length: u64, sink: Sink) -> Result<Heard, AudioFault> {
    let header = read_header(&mut file, length)?;
    let mut mono = Mono::new(
        header.sample_rate_hz,
        usize::from(header.channels),
        header.samples as usize,
        sink,
    )?;
    let data_bytes = u64::from(header.samples) * u64::from(header.block_bytes);
    let data = file.take(data_bytes);
    match header.encoding {
        Encoding::Float(64) => read_f64(data, &mut mono)?,
        Encoding::Float(_) => {
            for sample in reader(&header, data)?.into_samples::<f32>() {
                mono.push(sample.map_err(fault)?)?;
            }
        }
        Encoding::Int(bits) => {
            // Exact in f64, so rounded once.
            let scale = (-f64::from(bits - 1)).exp2();
            for sample in reader(&header, data)?.into_samples::<i32>() {
                mono.push((f64::from(sample.map_err(fault)?) * scale) as f32)?;
            }
        }
    }
    mono.finish()
}

/// `hound` over a header in the shortest form and the samples.
///
/// The header is written anew because `hound` refuses forms that occur: `fmt ` chunks of other sizes, 32-bit PCM in
/// WAVEFORMATEX, fewer valid bits than stored ones, chunks of odd size before the samples.
fn reader<R: Read>(
    header: &Header,
    data: R,
) -> Result<hound::WavReader<impl Read + use<R>>, AudioFault> {
    let (tag, bits) = match header.encoding {
        Encoding::Int(bits) => (1u16, bits),
        Encoding::Float(bits) => (3u16, bits),
    };
    let data_bytes = header.samples * u32::from(header.block_bytes); // at most the size that the chunk stated
    let bytes_per_second = header
        .sample_rate_hz
        .saturating_mul(u32::from(header.block_bytes));
    let mut start = Vec::with_capacity(44);
    start.extend_from_slice(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0");
    start.extend_from_slice(&tag.to_le_bytes());
    start.extend_from_slice(&header.channels.to_le_bytes());
    start.extend_from_slice(&header.sample_rate_hz.to_le_bytes());
    start.extend_from_slice(&bytes_per_second.to_le_bytes());
    start.extend_from_slice(&header.block_bytes.to_le_bytes());
    start.extend_from_slice(&bits.to_le_bytes());
    start.extend_from_slice(b"data");
    start.extend_from_slice(&data_bytes.to_le_bytes());
    let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(start).chain(data));
    hound::WavReader::new(whole).map_err(fault)
}

fn read_f64(mut data: impl Read, mono: &mut Mono) -> Result<(), AudioFault> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    while data
        .by_ref()
        .take(BUFFER_BYTES as u64)
        .read_to_end(&mut buffer)?
        > 0
    {
        let (samples, _) = buffer.as_chunks::<8>();
        for &sample in samples {
            mono.push(f64::from_le_bytes(sample) as f32)?;
        }
        buffer.clear();
    }
    Ok(())
}

fn fault(error: hound::Error) -> AudioFault {
    match error {
        hound::Error::IoError(e) => e.into(),
        other => AudioFault::WavHeader(Foreign::said(other)),
    }
}
