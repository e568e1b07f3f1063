//! Small files of long sound: the memory that they take does not grow with their length, nor with the threads.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use crate::support::{Lab, ran};

/// Bits, the highest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    free: u32,
}

impl Bits {
    fn put(&mut self, value: u64, bits: u32) {
        for bit in (0..bits).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            let last = self.bytes.last_mut().unwrap();
            *last |= ((value >> bit & 1) as u8) << self.free;
        }
    }
}

fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    let mut crc = 0u32;
    for byte in bytes {
        crc ^= u32::from(*byte) << (bits - 8);
        for _ in 0..8 {
            let top = crc >> (bits - 1) & 1 == 1;
            crc = crc << 1 & ((1u64 << bits) - 1) as u32;
            if top {
                crc ^= polynomial;
            }
        }
    }
    crc
}

/// A FLAC of silence at 48 kHz, mono: one constant a frame of 65,535 samples, so an hour takes 40 kB (RFC 9639).
fn flac(path: &Path, frames: u64) {
    const BLOCK: u64 = 65_535;
    let mut head = Bits::default();
    head.put(0x664c_6143, 32); // fLaC
    head.put(0x8000_0022, 32); // the last block of metadata, STREAMINFO of 34 bytes
    head.put(BLOCK, 16);
    head.put(BLOCK, 16);
    head.put(0, 48);
    head.put(48_000, 20);
    head.put(0, 3); // one channel
    head.put(15, 5); // of 16 bits
    head.put(frames * BLOCK, 36);
    head.put(0, 64);
    head.put(0, 64); // no checksum
    let mut file = head.bytes;
    for frame in 0..frames {
        let mut bits = Bits::default();
        bits.put(0b11_1111_1111_1110, 14);
        bits.put(0, 2);
        bits.put(0b0111, 4); // the block's size in 16 bits at the end of the header
        bits.put(0, 4);
        bits.put(0, 4);
        bits.put(0, 4);
        match frame {
            0..0x80 => bits.put(frame, 8),
            0x80..0x800 => bits.put(0xc080 | (frame >> 6) << 8 | (frame & 0x3f), 16),
            _ => bits.put(
                0xe0_8080 | (frame >> 12) << 16 | (frame >> 6 & 0x3f) << 8 | (frame & 0x3f),
                24,
            ),
        }
        bits.put(BLOCK - 1, 16);
        bits.put(crc(&bits.bytes, 8, 0x07).into(), 8);
        bits.put(0, 8); // a constant
        bits.put(0, 16);
        bits.put(crc(&bits.bytes, 16, 0x8005).into(), 16);
        file.extend(bits.bytes);
    }
    fs::write(path, file).unwrap();
}

/// 16-bit PCM whose samples are a hole in the file.
fn sparse_wav(path: &Path, data_bytes: u32, rate: u32) {
    let mut head = Vec::from(*b"RIFF");
    head.extend((data_bytes + 36).to_le_bytes());
    head.extend(*b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    head.extend(rate.to_le_bytes());
    head.extend((rate * 2).to_le_bytes());
    head.extend(*b"\x02\0\x10\0data");
    head.extend(data_bytes.to_le_bytes());
    fs::write(path, &head).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(u64::from(data_bytes) + head.len() as u64)
        .unwrap();
}

#[test]
fn looking_at_hours_of_sound_takes_the_memory_of_a_block() {
    let lab = Lab::with(&[]);
    // 55 minutes each: as samples they take 630 MB a file.
    for i in 0..3 {
        flac(&lab.at(&format!("pieces/sweet_{i}.flac")), 2_400);
    }
    sparse_wav(&lab.at("pieces/sour_1.wav"), 300_000_000, 48_000);
    assert!(fs::metadata(lab.at("pieces/sweet_1.flac")).unwrap().len() < 50_000);
    for threads in ["1", "3"] {
        let mut check = Command::new("sh");
        check.current_dir(lab.at("")).arg("-c");
        check.arg("ulimit -v 700000; exec \"$0\" check lab.yaml --threads \"$1\"");
        check.args([env!("CARGO_BIN_EXE_harness"), threads]);
        let ran = ran(&mut check);
        assert_eq!(ran.code, Some(0), "{threads}: {}", ran.stderr);
        assert!(
            ran.stdout.contains("pieces      4, 215.9 min of audio"),
            "{}",
            ran.stdout
        );
    }
    // What is too long is told so, in as little.
    flac(&lab.at("pieces/bitter_1.flac"), 6_000);
    let ran = lab.harness(&["check", "lab.yaml"]);
    assert!(
        ran.code == Some(1) && ran.stderr.contains("bitter_1.flac"),
        "{}",
        ran.stderr
    );
}

/// The most memory that a run takes.
fn peak_kb(lab: &Lab, args: &[&str]) -> u64 {
    let mut run = lab.command(&[&["run", "lab.yaml"], args].concat());
    let mut child = run.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kb = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let found = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak_kb = peak_kb.max(found.unwrap_or(0u64));
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    assert!(child.wait().unwrap().success());
    peak_kb
}

#[test]
fn a_whole_hour_is_heard_in_the_memory_of_a_few_windows() {
    let lab = Lab::with(&[]);
    flac(&lab.at("pieces/sweet_1.flac"), 30);
    let args = [
        "--set",
        "crops={windows: {hop_s: 10}}",
        "--threads",
        "1",
        "--out",
    ];
    let short = peak_kb(&lab, &[&args[..], &["short"]].concat());
    // 59 minutes, which are 680 MB of samples.
    flac(&lab.at("pieces/sweet_1.flac"), 2_600);
    let long = peak_kb(&lab, &[&args[..], &["long"]].concat());
    assert!(
        long < short + 60_000,
        "{short} kB of a minute, {long} kB of an hour"
    );
    let windows = lab.csv("long/windows.csv");
    assert_eq!(windows.len(), 2 * 355);
    assert_eq!(
        windows[354]["start_s"],
        format!("{}", 2_600.0 * 65_535.0 / 48_000.0 - 10.0)
    );
}

#[test]
fn long_sounds_are_heard_one_at_a_time_and_the_numbers_are_the_same() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    for i in 2..5 {
        flac(&lab.at(&format!("pieces/sweet_0{i}.flac")), 600);
    }
    let peak = |threads: &str| {
        let out = format!("r{threads}");
        peak_kb(&lab, &["--threads", threads, "--out", &out])
    };
    let (one, three) = (peak("1"), peak("3"));
    // 157 MB of samples a file, which three threads held at once.
    assert!(
        three < one + 220_000,
        "{one} kB with one thread, {three} kB with three"
    );
    assert!(lab.results("r1") == lab.results("r3"));
}
