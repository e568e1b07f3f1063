//! `harness providers`, and providers that a machine cannot have. On a machine with an NVIDIA GPU these say less.

use std::fs;

use ort_runtime::devices::{self, Cpu};
use ort_runtime::providers::Provider;
use tempfile::TempDir;

use crate::support::{Call, Models, UNFUSED, demo_pieces, names_below};

/// `harness embed` with these arguments is refused with `code` and `words`, and writes nothing.
fn embed_fails(more: &[&str], code: i32, words: &[&str]) {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let call = Call::embed(&models, UNFUSED)
        .option("--audio", demo_pieces().join("sour_03.wav"))
        .option("--out", folder.path().join("out.csv"))
        .env("HARNESS_CACHE", folder.path().join("cache"))
        .without_env("ORT_DYLIB_PATH");
    more.iter()
        .fold(call, |call, word| call.arg(word))
        .fails(code, words);
    assert!(
        names_below(folder.path()).is_empty(),
        "nothing is installed"
    );
}

#[test]
fn pairs_that_do_not_exist() {
    let words = "--ep openvino runs fp32 and bf16, not int8; int8 goes with cpu";
    embed_fails(&["--ep", "openvino", "--precision", "int8"], 2, &[words]);
    let words = "--ep tensorrt runs fp32 and fp16, not bf16; bf16 goes with openvino and cuda";
    embed_fails(&["--ep", "tensorrt", "--precision", "bf16"], 2, &[words]);
}

#[test]
fn nvidia_s_without_a_gpu_driver_or_device() {
    for ep in ["cuda", "tensorrt"] {
        match devices::nvidia() {
            Err(reason) => embed_fails(
                &["--ep", ep],
                1,
                &[
                    &format!("--ep {ep} needs an NVIDIA driver, 580 or newer"),
                    &reason.to_string(),
                    "--ep cpu",
                ],
            ),
            Ok(gpus) => embed_fails(
                &["--ep", ep, "--device", "77"],
                2,
                &["--device 77 is not there", &gpus[0].name],
            ),
        }
    }
}

#[test]
fn bf16_on_a_cpu_without_it() {
    if Cpu::here().bf16().is_none() && cfg!(target_os = "linux") {
        embed_fails(
            &["--ep", "openvino", "--precision", "bf16"],
            2,
            &["AMX or AVX-512 BF16", "leave --precision out"],
        );
    }
}

#[test]
fn a_provider_of_another_system() {
    let (ep, only) = match cfg!(target_os = "macos") {
        true => ("directml", "Windows only"),
        false => ("coreml", "macOS only"),
    };
    embed_fails(&["--ep", ep], 2, &[&format!("--ep {ep}"), only, "--ep cpu"]);
    Call::new("setup").option("--ep", ep).fails(2, &[only]);
}

#[test]
fn the_table_shows_all_and_installs_nothing() {
    let folder = TempDir::new().unwrap();
    let outcome = Call::new("providers")
        .env("HARNESS_CACHE", folder.path())
        .without_env("ORT_DYLIB_PATH")
        .ok();
    for provider in Provider::ALL {
        let line = outcome
            .stdout
            .lines()
            .find(|l| l.starts_with(provider.name()));
        let line = line.unwrap_or_else(|| panic!("{provider} in {}", outcome.stdout));
        if provider.wheel().is_some() {
            // Of NVIDIA's, others may have installed some.
            let partly = !provider.entry().toolkits.is_empty() && line.contains(" MB missing");
            assert!(line.contains("not installed, ") || partly, "{line}");
        }
        for precision in provider.entry().precisions {
            assert!(line.contains(precision.name()), "{line}");
        }
    }
    assert!(names_below(folder.path()).is_empty());
}

#[test]
fn a_check_says_where_every_graph_of_the_demo_ran() {
    let outcome = Call::new("providers")
        .args_of("--check --ep cpu --threads 1")
        .ok();
    let first = outcome.stdout.lines().next().unwrap();
    assert!(first.starts_with("cpu fp32: ONNX Runtime "), "{first}");
    for graph in [
        "630k-audioset-fusion-best audio",
        "music_audioset text",
        "tasty-musicgen-small decoder",
    ] {
        let line = outcome.stdout.lines().find(|l| l.trim().starts_with(graph));
        let line = line.unwrap_or_else(|| panic!("{graph} in {}", outcome.stdout));
        assert!(line.ends_with(" CPUExecutionProvider"), "{line}");
    }
}

#[test]
fn a_check_of_what_is_not_or_badly_installed() {
    let folder = TempDir::new().unwrap();
    let check = |more: &str| {
        Call::new("providers")
            .args_of(&format!("--check {more}"))
            .env("HARNESS_CACHE", folder.path())
            .without_env("ORT_DYLIB_PATH")
    };
    check("").fails(1, &["no provider is installed", "harness setup --ep NAME"]);
    check("--ep cpu").fails(2, &["cpu is not installed", "`harness setup`"]);
    let package = Provider::Cpu.package();
    let tag = Provider::Cpu.wheel().unwrap().tag;
    let name = format!("onnxruntime/{}-{}-{tag}", package.name, package.version);
    fs::create_dir_all(folder.path().join(name)).unwrap();
    check("").fails(1, &["is damaged", "`harness setup`", "cannot run: cpu"]);
    check("")
        .env("ORT_DYLIB_PATH", "somewhere.so")
        .fails(2, &["ORT_DYLIB_PATH", "--ep"]);
    Call::new("providers")
        .args_of("--ep cpu")
        .fails(2, &["--check"]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_table_says_where_others_libraries_are_and_what_is_wrong_with_them() {
    let folder = TempDir::new().unwrap();
    let environment = folder.path().join("venv");
    let lib = environment.join("lib/python3.12/site-packages/nvidia/cu13/lib");
    fs::create_dir_all(&lib).unwrap();
    fs::write(environment.join("pyvenv.cfg"), "").unwrap();
    // Any library of this machine will do.
    let whole = fs::read(std::env::current_exe().unwrap()).unwrap();
    fs::write(lib.join("libcudart.so.13"), &whole).unwrap();
    fs::write(lib.join("libcublas.so.13"), &whole[..whole.len() / 2]).unwrap();
    let outcome = Call::new("providers")
        .env("HARNESS_CACHE", folder.path().join("cache"))
        .env("VIRTUAL_ENV", &environment)
        .env("LD_LIBRARY_PATH", "")
        .without_env("ORT_DYLIB_PATH")
        .ok();
    let line = |start: &str| {
        let mut lines = outcome.stdout.lines();
        let line = lines.find(|line| line.trim_start().starts_with(start));
        line.unwrap_or_else(|| panic!("{start} in {}", outcome.stdout))
            .to_owned()
    };
    assert!(line("libcudart.so.13").contains("Python environment"));
    assert!(line("libcublas.so.13").contains("missing"));
    let cut = line("cuda does not use ");
    assert!(
        cut.contains("libcublas.so.13: it is cut off or damaged"),
        "{cut}"
    );
    assert!(line("`harness setup --ep cuda`").contains("installs what is missing"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_in_a_python_environment_finds_the_library_there_from_its_own_place() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let packages = at("tools/harness/lib/python3.12/site-packages");
    let capi = packages.join("onnxruntime/capi");
    for name in [
        &at("bin"),
        &at("tools/harness/bin"),
        &capi,
        &packages.join("tasty_harness-0.1.0.dist-info"),
    ] {
        fs::create_dir_all(name).unwrap();
    }
    // By another process: a file that this one has open for writing cannot be started.
    let program = at("tools/harness/bin/harness");
    let copied = std::process::Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_harness"))
        .arg(&program)
        .status();
    assert!(copied.unwrap().success());
    let link = at("bin/harness");
    std::os::unix::fs::symlink(&program, &link).unwrap();
    let call = |more: &str| {
        Call::of(&link, "providers")
            .args_of(more)
            .env("HARNESS_CACHE", at("cache"))
            .env("PATH", "")
            .without_env("VIRTUAL_ENV")
            .without_env("ORT_DYLIB_PATH")
    };
    call("--check --ep cpu").fails(2, &["cpu is not installed"]);

    // Any library of this machine will do for the table.
    let old = capi.join("libonnxruntime.so.1.23.2");
    fs::copy(std::env::current_exe().unwrap(), &old).unwrap();
    let told = call("").ok().stdout;
    let why = format!(
        "cpu does not use {}: it is ONNX Runtime 1.23.2, and 1.24 or newer is needed",
        old.display()
    );
    assert!(told.contains(&why), "{told}");

    let whole = ort_runtime::library::find_or_install(Provider::Cpu, false).unwrap();
    let library = capi.join(whole.path.file_name().unwrap());
    fs::copy(&whole.path, &library).unwrap();
    let told = call("").ok().stdout;
    let (_, opens) = told.split_once("\ncpu opens:\n").expect(&told);
    let line = opens.lines().next().unwrap();
    assert!(line.contains("Python environment"), "{line}");
    assert!(line.ends_with(library.to_str().unwrap()), "{line}");
    let checked = call("--check --ep cpu --threads 1").ok().stdout;
    assert!(checked.contains(library.to_str().unwrap()), "{checked}");
}
