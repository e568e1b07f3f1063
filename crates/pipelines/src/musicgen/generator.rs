//! The generator: batches of pieces from their prompts to their audio.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::Instant;

use checkpoint::musicgen::MusicgenConfig;
use ndarray::Array2;
use onnx_export::musicgen::names;
use onnx_export::{DecoderCache, Exported};
use ort_runtime::{Runtime, Session, SessionOptions};
use process::interrupt::Interrupted;
use rand_chacha::ChaCha20Rng;
use serde::Serialize;

use super::super::batches::Batches;
use super::batch::{self, Needs, Room};
use super::delay::{self};
use super::job::{Asked, Generated, GenerationSettings, Job, Progress};
use super::steps::Batch;
use super::text::{Attended, Prompts, TextEncoder};
use super::{Codec, GenerateError, by_graph, by_host, codec};

/// What the decoder attends to of a text is kept once for further batches and once, padded, for this one.
const TEXT_COPIES: usize = 2;
const F32_BYTES: u64 = 4;

/// Where the time went so far, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    pub load: f64,
    pub text: f64,
    pub decoder: f64,
    pub codec: f64,
    /// Steps of the decoder, each for all pieces of a batch.
    pub steps: usize,
}

/// One MusicGen checkpoint, loaded.
pub struct Generator {
    text: TextEncoder,
    decoder: Session,
    codec: Codec,
    prompts: Prompts,
    config: MusicgenConfig,
    cache: DecoderCache,
    chooses_codes: bool,
    options: SessionOptions,
    seconds: Seconds,
}

impl Generator {
    /// Load every graph of a MusicGen export, and T5's tokenizer.
    ///
    /// # Errors
    /// When the export is of another kind of model, a graph cannot be loaded, or the tokenizer is not T5's or larger than
    /// the checkpoint's embedding.
    pub fn load(
        runtime: &Runtime,
        export: &Exported,
        tokenizer: &Path,
    ) -> Result<Self, GenerateError> {
        let started = Instant::now();
        let config = export.musicgen()?.clone();
        let prompts = Prompts::open(tokenizer, config.text.vocab)?;
        let threads = runtime.options().threads;
        let path = export.graph(names::DECODER)?;
        // The decoder is more than half of it.
        let (decoder, others) = thread::scope(|scope| {
            let decoder = scope.spawn(|| runtime.bound_session(&path, threads));
            let others = TextEncoder::load(runtime, export, &config, threads)
                .and_then(|text| Ok((text, Codec::load(runtime, export)?)));
            let decoder = decoder.join();
            (
                decoder.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                others,
            )
        });
        let (text, codec) = others?;
        Ok(Self {
            text,
            decoder: decoder?,
            codec,
            prompts,
            config,
            cache: export.cache,
            chooses_codes: export.chooses_codes,
            options: runtime.options(),
            seconds: Seconds {
                load: started.elapsed().as_secs_f64(),
                ..Seconds::default()
            },
        })
    }

    /// In Hz.
    pub fn sampling_rate(&self) -> u32 {
        // Bounded when the configuration was read.
        self.config.codec.sampling_rate as u32
    }

    /// Where the time went since the generator was loaded.
    pub fn seconds(&self) -> Seconds {
        self.seconds
    }

    /// Graph nodes by the provider that they ran on, by graph; empty before a graph's first run.
    pub fn placement(&self) -> BTreeMap<String, BTreeMap<String, usize>> {
        let mut placement = BTreeMap::from([
            (
                names::TEXT.to_owned(),
                self.text.encoder.placement().clone(),
            ),
            (names::CROSS.to_owned(), self.text.cross.placement().clone()),
            (names::DECODER.to_owned(), self.decoder.placement().clone()),
        ]);
        placement.extend(self.codec.placement());
        placement
    }

    /// Whether all jobs can be made so; needs no long work.
    ///
    /// # Errors
    /// What is wrong with the settings, or with the first prompt that cannot be read.
    pub fn check(&self, jobs: &[Job], settings: &GenerationSettings) -> Result<(), GenerateError> {
        self.tokens(jobs, settings).map(drop)
    }

    /// The tokens of each job's prompt, once the settings are known to be possible.
    fn tokens(
        &self,
        jobs: &[Job],
        settings: &GenerationSettings,
    ) -> Result<Vec<Vec<i64>>, GenerateError> {
        check_settings(&self.config, settings)?;
        let prompts = jobs.iter().map(|job| job.prompt.as_str());
        self.prompts.encode_all(prompts)
    }

    /// Make the pieces of `jobs`, `at_once` in a batch (`None`: by memory and cores), and hand each over as soon as it is
    /// whole, in their order. `progress` hears of every step and may end the work.
    ///
    /// # Errors
    /// What [`Generator::check`] finds; what a graph, `progress` or `each` returns. Pieces handed over stay.
    pub fn generate<E: From<GenerateError>>(
        &mut self,
        jobs: Vec<Job>,
        settings: &GenerationSettings,
        at_once: Option<usize>,
        progress: &mut dyn FnMut(Progress) -> Result<(), Interrupted>,
        mut each: impl FnMut(usize, Generated) -> Result<(), E>,
    ) -> Result<(), E> {
        let tokens = self.tokens(&jobs, settings)?;
        let at_once = match at_once {
            Some(pieces) => pieces,
            None => self.most_at_once(&tokens, settings)?,
        };
        let mut known = BTreeMap::new();
        let mut batches = Batches::new(jobs.len(), at_once);
        loop {
            let make = |batch: Range<usize>| {
                let first = batch.start;
                // Every try draws from the beginning of each piece's stream.
                let streams = jobs[batch.clone()].iter().map(|job| job.rng.clone());
                let (tokens, streams) = (&tokens[batch], streams.collect());
                self.codes(first, tokens, streams, settings, &mut known, progress)
            };
            let next = batches.next(make, GenerateError::is_out_of_memory, |halved| {
                halved.note("pieces")
            });
            let Some((batch, codes)) = next.map_err(GenerateError::of_a_piece_alone)? else {
                return Ok(());
            };
            let first = batch.start;
            let started = Instant::now();
            let views: Vec<_> = codes.iter().map(|codes| codes.view()).collect();
            self.codec.decode(&views, |piece, audio| -> Result<(), E> {
                let (job, codes) = (first + piece, codes[piece].clone());
                if !audio.iter().all(|sample| sample.is_finite()) {
                    return Err(GenerateError::Audio { job }.into());
                }
                each(job, Generated { codes, audio })
            })?;
            self.seconds.codec += started.elapsed().as_secs_f64();
        }
    }

    /// The codes of one batch, whose first piece is the job `first`, from each one's tokens and random stream.
    fn codes(
        &mut self,
        first: usize,
        tokens: &[Vec<i64>],
        streams: Vec<ChaCha20Rng>,
        settings: &GenerationSettings,
        known: &mut BTreeMap<Vec<i64>, Attended>,
        progress: &mut dyn FnMut(Progress) -> Result<(), Interrupted>,
    ) -> Result<Vec<Array2<i64>>, GenerateError> {
        let started = Instant::now();
        known.retain(|prompt, _| tokens.contains(prompt));
        for prompt in tokens {
            if !known.contains_key(prompt) {
                known.insert(prompt.clone(), self.text.attend(prompt)?);
            }
        }
        let texts: Vec<&Attended> = tokens
            .iter()
            .filter_map(|prompt| known.get(prompt))
            .collect();
        self.seconds.text += started.elapsed().as_secs_f64();

        let started = Instant::now();
        let mut batch = Batch::start(
            &mut self.decoder,
            &self.config.decoder,
            self.cache,
            &texts,
            settings.steps,
            settings.is_guided(),
        )?;
        let asked = Asked {
            first,
            decoder: &self.config.decoder,
            settings,
        };
        let codes = match self.chooses_codes {
            true => by_graph::codes(&mut batch, &asked, streams, progress),
            false => by_host::codes(&mut batch, &asked, streams, progress),
        }?;
        self.seconds.decoder += started.elapsed().as_secs_f64();
        self.seconds.steps += settings.steps;
        Ok(codes)
    }

    fn most_at_once(
        &self,
        tokens: &[Vec<i64>],
        settings: &GenerationSettings,
    ) -> Result<usize, GenerateError> {
        let (decoder, codec_config) = (&self.config.decoder, &self.config.codec);
        let longest = tokens.iter().map(Vec::len).max().unwrap_or(0);
        let rows = if settings.is_guided() { 2 } else { 1 };
        let frames = delay::frames(settings.steps, decoder.codebooks);
        let cache = |value_bytes, rows, steps| {
            batch::cache_bytes(value_bytes, rows, steps, decoder.hidden, decoder.layers)
        };
        let [past_key, _] = names::past(0);
        let cached_bytes = self.decoder.input_value_bytes(&past_key);
        let cached_bytes = cached_bytes.map_or(F32_BYTES, |bytes| bytes as u64);
        let needs = Needs {
            fixed_bytes: codec::working_bytes(codec_config, tokens.len(), frames),
            piece_bytes: cache(cached_bytes, rows, settings.steps)
                + cache(F32_BYTES, TEXT_COPIES, longest),
        };
        Ok(batch::most_at_once(needs, self.room())?)
    }

    fn room(&self) -> Room {
        let options = self.options;
        Room::of(
            options.provider,
            options.device.unwrap_or(0),
            options.threads,
        )
    }
}

/// Whether the tokenizer belongs to a model of `config` and takes every prompt; needs no graph.
///
/// # Errors
/// What is wrong with the tokenizer, or with the first prompt that it cannot turn into few enough tokens.
pub fn check_prompts<'p>(
    config: &MusicgenConfig,
    tokenizer: &Path,
    prompts: impl IntoIterator<Item = &'p str>,
) -> Result<(), GenerateError> {
    let tokenizer = Prompts::open(tokenizer, config.text.vocab)?;
    tokenizer.encode_all(prompts).map(drop)
}

/// That a guidance scale is a finite number of at least 1.
pub fn check_guidance(guidance: f32) -> Result<(), GenerateError> {
    match guidance.is_finite() && guidance >= 1.0 {
        true => Ok(()),
        false => Err(GenerateError::Guidance(guidance)),
    }
}

/// What a configuration cannot do, and what no model can.
pub fn check_settings(
    config: &MusicgenConfig,
    settings: &GenerationSettings,
) -> Result<(), GenerateError> {
    let decoder = &config.decoder;
    let (steps, limit) = (settings.steps, decoder.max_positions);
    check_guidance(settings.guidance)?;
    settings.choice.check_vocab(decoder.vocab)?;
    if delay::frames(steps, decoder.codebooks) == 0 {
        return Err(GenerateError::NoFrame {
            steps,
            codebooks: decoder.codebooks,
        });
    }
    if steps > limit {
        let longest = delay::frames(limit, decoder.codebooks);
        return Err(GenerateError::Positions {
            steps,
            limit,
            longest_s: longest as f64 / config.codec.frame_rate(),
        });
    }
    Ok(())
}
