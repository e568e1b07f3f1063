//! `harness providers`: what can run graphs on this machine, what of it is installed, and whether it really does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use files::PartFolder;
use foreign::Foreign;
use foreign::words;
use onnx_graph::Precision;
use ort_runtime::devices::{self, Cpu, Gpu, NoGpu};
use ort_runtime::inventory::Inventory;
use ort_runtime::library::{Library, Origin, Places};
use ort_runtime::{Provider, Runtime, trial};
use pipelines::clips::CropChoice;
use pipelines::musicgen::{Choice, GenerateError, GenerationSettings, Generator, Job};
use pipelines::seeds;
use pipelines::{AudioTower, TextTower};
use process::child;
use process::progress::{note, result};

use super::{check_runtime, open_runtime};
use crate::args::RuntimeArgs;
use crate::card::{Card, Kind};
use crate::demo;
use crate::exit::UsageError;
use crate::model::{Model, prepare};
use crate::tables::aligned;

#[derive(Debug, Clone, Args)]
pub struct ProvidersArgs {
    /// Run the demo's graphs on each installed provider, and tell where their nodes ran
    #[arg(long)]
    pub check: bool,
    /// Only this one
    #[arg(long, value_name = "NAME", requires = "check")]
    pub ep: Option<Provider>,
    /// Device number, for providers with several devices
    #[arg(long, value_name = "N", requires = "ep")]
    pub device: Option<u32>,
    /// Arithmetic of the graphs
    #[arg(long, value_name = "P", default_value = "fp32", requires = "check")]
    pub precision: Precision,
    /// Threads on the CPU; by default one for each physical core that this process may use
    #[arg(long, value_name = "N", requires = "check", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Start it and run one product: what the program asks of itself before a provider's first start
    #[arg(long, hide = true, requires = "ep")]
    pub only_start: bool,
}

pub(crate) fn providers(args: &ProvidersArgs) -> Result<()> {
    match (args.check, args.ep) {
        (false, _) => show(),
        (true, Some(ep)) => {
            let runtime = RuntimeArgs {
                ep,
                device: args.device,
                precision: args.precision,
                threads: args.threads,
            };
            match args.only_start {
                true => Ok(trial::start(&installed(ep)?, runtime.session_options())?),
                false => check(&runtime),
            }
        }
        (true, None) => check_all(args),
    }
}

/// The library of a provider, which is not installed for this.
fn installed(provider: Provider) -> Result<Library> {
    Places::of_process()?.find(provider)?.ok_or_else(|| {
        let setup = provider.setup_command();
        UsageError(words!(
            "{} is not installed; `{}` installs it",
            provider.name(),
            Foreign::new(setup)
        ))
        .into()
    })
}

/// The table.
fn show() -> Result<()> {
    let places = Places::of_process()?;
    if let Some(named) = places.named_library() {
        note(format!(
            "ORT_DYLIB_PATH names {}, which every provider uses instead of what is told here",
            named.display()
        ));
    }
    let nvidia = devices::nvidia();
    let header = ["provider", "state", "ONNX Runtime", "precisions", "device"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut found = Vec::new();
    for provider in Provider::ALL {
        let entry = provider.entry();
        let precisions: Vec<&str> = entry.precisions.iter().map(|p| p.name()).collect();
        let inventory = places.inventory(provider)?;
        rows.push(vec![
            entry.name.to_owned(),
            state(provider, inventory.as_ref()),
            entry.package.version.to_owned(),
            precisions.join(" "),
            device(provider, &nvidia),
        ]);
        // Two providers on one library need the same, and one of them more.
        found.extend(inventory.map(|inventory| (provider, inventory)));
    }
    let mut out = aligned::table(&rows, header.len());
    out.push('\n');
    for provider in Provider::ALL {
        let entry = provider.entry();
        let needs = match entry.needs {
            "" => String::new(),
            needs => format!("; the machine has to bring {needs}"),
        };
        out.push_str(&format!("{:9} {}{needs}\n", entry.name, entry.about));
    }
    let mut told = BTreeSet::new();
    for (provider, inventory) in &found {
        out.push_str(&libraries(*provider, inventory, &mut told));
    }
    out.push_str("\nharness setup --ep NAME installs one, harness providers --check tries those that are installed");
    Ok(result(out)?)
}

/// In a few words: whether it is here, or what it would take.
fn state(provider: Provider, inventory: Option<&Inventory>) -> String {
    if !provider.entry().systems.contains(&std::env::consts::OS) {
        return format!("not on {}", std::env::consts::OS);
    }
    let Some(inventory) = inventory else {
        return "no package for this machine".to_owned();
    };
    let missing = inventory.to_download(provider).div_ceil(1_000_000);
    match (missing, inventory.damaged.is_some(), inventory.has_any()) {
        (0, _, _) => "installed".to_owned(),
        (_, true, _) => "damaged".to_owned(),
        (missing, false, true) => format!("partly here, {missing} MB missing"),
        (missing, false, false) => format!("not installed, {missing} MB"),
    }
}

/// Where each library of a provider is, which are missing, and what brings those; nothing where there is none. What was `told`
/// of another provider is not told again.
fn libraries(
    provider: Provider,
    inventory: &Inventory,
    told: &mut BTreeSet<Vec<String>>,
) -> String {
    let mut out = String::new();
    if inventory.has_any() {
        let all = library_rows(provider, inventory);
        let same = all.iter().any(|row| told.contains(row));
        let new: Vec<Vec<String>> = all
            .into_iter()
            .filter(|row| told.insert(row.clone()))
            .collect();
        let what = match (same, new.is_empty()) {
            (false, _) => "opens:",
            (true, false) => "opens the same, and:",
            (true, true) => "opens the same",
        };
        out.push_str(&format!("\n{provider} {what}\n{}", aligned::table(&new, 3)));
        let missing = inventory.to_download(provider).div_ceil(1_000_000);
        if missing > 0 {
            let setup = provider.setup_command();
            out.push_str(&format!(
                "  `{setup}` installs what is missing, {missing} MB\n"
            ));
        }
    }
    for (path, why) in &inventory.passed_over {
        if told.insert(vec![path.display().to_string(), why.clone()]) {
            out.push_str(&format!(
                "{provider} does not use {}: {}\n",
                Foreign::said(path.display()),
                Foreign::said(why)
            ));
        }
    }
    out
}

/// Name, where it is from, and its file or what brings it.
fn library_rows(provider: Provider, inventory: &Inventory) -> Vec<Vec<String>> {
    let here = |path: &Path, origin: Origin| (origin.about(), path.display().to_string());
    let row =
        |name: &str, (from, what): (&str, String)| vec![format!("  {name}"), from.to_owned(), what];
    let main = match &inventory.main {
        Some(main) => row(
            &format!("ONNX Runtime {}", main.version),
            here(&main.path, main.origin),
        ),
        None => row("ONNX Runtime", ("missing", provider.package().to_string())),
    };
    let libraries = inventory.libraries.iter().map(|needed| {
        let state = match (&needed.found, needed.package) {
            (Some(found), _) => here(&found.path, found.origin),
            (None, Some(package)) => ("missing", package.to_string()),
            (None, None) => ("missing", "the machine has to bring it".to_owned()),
        };
        row(&needed.name, state)
    });
    [main].into_iter().chain(libraries).collect()
}

/// What it would run on, as far as that can be told without its library.
fn device(provider: Provider, nvidia: &Result<Vec<Gpu>, NoGpu>) -> String {
    if !provider.entry().systems.contains(&std::env::consts::OS) {
        return String::new();
    }
    match provider {
        Provider::Cpu => format!("CPU, {}", std::env::consts::ARCH),
        Provider::OpenVino => match Cpu::here().bf16() {
            Some(units) => format!("CPU with {units}"),
            None => "CPU without AMX and AVX-512 BF16: fp32 only".to_owned(),
        },
        Provider::Cuda | Provider::TensorRt => match nvidia {
            Ok(gpus) => {
                let told: Vec<String> = gpus.iter().map(one_gpu).collect();
                told.join("; ")
            }
            Err(reason) => reason.to_string(),
        },
        _ => "told by --check".to_owned(),
    }
}

fn one_gpu(gpu: &Gpu) -> String {
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    format!(
        "{}: {}, {:.1} of {:.1} GB free, driver {}, CUDA {}",
        gpu.index,
        gpu.name,
        gigabytes(gpu.free_bytes),
        gigabytes(gpu.total_bytes),
        gpu.driver,
        gpu.cuda_driver_version
    )
}

/// Each installed provider in a process of its own: a process keeps the first ONNX Runtime that it opens.
fn check_all(args: &ProvidersArgs) -> Result<()> {
    let places = Places::of_process()?;
    if let Some(named) = places.named_library() {
        return Err(UsageError(words!(
            "ORT_DYLIB_PATH names {}, which may hold any provider; say which one to try with --ep",
            named.display()
        ))
        .into());
    }
    let mut failed = Vec::new();
    let mut tried = 0;
    for provider in Provider::ALL {
        // What is damaged or half installed is told by its own check; what was never installed is no failure.
        if matches!(places.find(provider), Ok(None)) {
            continue;
        }
        // CoreML's library is that of the CPU, which says nothing of a system that has no CoreML.
        if provider.wheel().is_none() || provider.check(args.precision).is_err() {
            continue;
        }
        tried += 1;
        let mut child = child::again().context("cannot find this program's own file")?;
        child.args(["providers", "--check", "--ep", provider.name()]);
        child.args(["--precision", args.precision.name()]);
        if let Some(threads) = args.threads {
            child.args(["--threads", &threads.to_string()]);
        }
        let status = child::status(&mut child).context("cannot start this program again")?;
        if !status.success() {
            // A library that ends the process says nothing of itself.
            if status.code().is_none() {
                note(format!("error: {provider} ended this program: {status}"));
            }
            failed.push(provider.name());
        }
    }
    if tried == 0 {
        bail!(
            "no provider is installed that runs {}; `harness setup --ep NAME` installs one",
            args.precision
        );
    }
    match failed.is_empty() {
        true => Ok(()),
        false => bail!(
            "{} of {tried} installed providers cannot run: {}",
            failed.len(),
            failed.join(", ")
        ),
    }
}

/// Run every graph of the demo once, and tell where its nodes ran. What splits into many parts is told by the session.
fn check(args: &RuntimeArgs) -> Result<()> {
    check_runtime(args)?;
    let provider = args.ep;
    let library = installed(provider)?;
    let runtime = open_runtime(args, &library)?;
    result(format!(
        "{provider} {}: ONNX Runtime {} at {}",
        args.precision,
        library.version,
        library.path.display()
    ))?;
    let demo = demo::unpack()?;
    let scratch = PartFolder::temporary()?;
    let piece = scratch.path().join("piece.wav");
    clap_audio::write_wav(&piece, &tone(), TONE_HZ)
        .with_context(|| format!("cannot write {}", piece.display()))?;
    for card in Card::all(&demo.models)? {
        let name = card.name.clone();
        let open = || open_runtime(args, &library);
        let placed = match card.kind {
            Kind::Clap => clap(&runtime, card, &demo.models, args, &piece, open),
            Kind::Musicgen => musicgen(&runtime, card, &demo.models, args, open),
        };
        for (graph, nodes) in placed.with_context(|| format!("{provider}, the demo's {name}"))? {
            let told: Vec<String> = nodes.iter().map(|(ep, n)| format!("{n} {ep}")).collect();
            result(format!("  {name} {graph}: {}", told.join(", ")))?;
            if provider != Provider::Cpu && nodes.len() == 1 && nodes.contains_key(CPU_NAME) {
                bail!("{provider} took no node of the demo's {name} {graph}");
            }
        }
    }
    Ok(())
}

/// Nodes by the provider that they ran on, by graph.
type Placed = BTreeMap<String, BTreeMap<String, usize>>;

/// ONNX Runtime's name of the provider that takes what no other does.
const CPU_NAME: &str = "CPUExecutionProvider";
const TONE_HZ: u32 = 32_000;

/// 12 s: longer than what a CLAP hears at once.
fn tone() -> Vec<f32> {
    (0..12 * TONE_HZ)
        .map(|i| (i as f32 * 0.09).sin() * 0.3)
        .collect()
}

fn clap(
    runtime: &Runtime,
    card: Card,
    models: &Path,
    args: &RuntimeArgs,
    piece: &Path,
    open: impl FnOnce() -> Result<Runtime>,
) -> Result<Placed> {
    let model = Model::obtain(card, true)?;
    let export = prepare(&model, models, args.target(), open)?.export;
    let mut audio = AudioTower::load(runtime, &export, model.card.fusion_shrink, 1)?;
    let choice = CropChoice::Policy {
        policy: Default::default(),
        seed: 0,
        experiment: "providers".to_owned(),
    };
    audio.embed(&[("piece", piece)], &choice, |_| anyhow::Ok(()))?;
    let mut text = TextTower::load(runtime, &export, &model.tokenizer.path)?;
    text.embed(&["sweet music"], |_| Ok(()))?;
    Ok(BTreeMap::from([
        ("audio".to_owned(), audio.placement()),
        ("text".to_owned(), text.placement()),
    ]))
}

fn musicgen(
    runtime: &Runtime,
    card: Card,
    models: &Path,
    args: &RuntimeArgs,
    open: impl FnOnce() -> Result<Runtime>,
) -> Result<Placed> {
    /// Some frames more than codebooks.
    const STEPS: usize = 16;
    let model = Model::obtain(card, true)?;
    let export = prepare(&model, models, args.target(), open)?.export;
    let mut generator = Generator::load(runtime, &export, &model.tokenizer.path)?;
    let job = Job {
        prompt: "sweet music".to_owned(),
        rng: seeds::stream(0, "providers", "piece", "sampling"),
    };
    let settings = GenerationSettings {
        steps: STEPS,
        guidance: 3.0,
        choice: Choice::Greedy,
    };
    generator.generate(vec![job], &settings, Some(1), &mut |_| Ok(()), |_, _| {
        Ok::<(), GenerateError>(())
    })?;
    Ok(generator.placement())
}
