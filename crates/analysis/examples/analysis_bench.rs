//! The analyses on a file of embeddings, timed: the harness's side of `scripts/bench/analysis.py`.
//!
//!     analysis_bench tsne EMBEDDINGS DIMENSIONS PERPLEXITY ITERATIONS POINTS
//!     analysis_bench silhouette EMBEDDINGS DIMENSIONS GROUPS
//!     analysis_bench others EMBEDDINGS DIMENSIONS
//!
//! EMBEDDINGS is raw little-endian f32, row by row; POINTS, raw f64, is written. GROUPS says that piece i is of group i mod
//! GROUPS. Prints JSON, times in seconds without reading the file.

use std::path::Path;
use std::time::Instant;

use analysis::frechet::frechet;
use analysis::histogram::cosine_histogram;
use analysis::kernel::{kernel_distance, kernel_test};
use analysis::separation::{PERMUTATIONS, silhouette_difference, silhouette_test};
use analysis::silhouette::silhouette;
use analysis::tsne::{TsneSettings, tsne};
use anyhow::{Context, bail};
use ndarray::{Array2, s};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = match arguments[..] {
        ["tsne", path, dimensions, perplexity, iterations, out] => {
            let settings = TsneSettings {
                perplexity: perplexity.parse()?,
                iterations: iterations.parse()?,
                ..TsneSettings::default()
            };
            map(&read(path, dimensions)?, &settings, Path::new(out))?
        }
        ["silhouette", path, dimensions, groups] => {
            let embeddings = read(path, dimensions)?;
            let groups = groups_of(embeddings.nrows(), groups.parse()?);
            let (seconds, found) = timed(|| silhouette(embeddings.view(), &groups));
            let found = found.context("no silhouette")?;
            json!({ "seconds": seconds, "silhouette": found.mean })
        }
        ["others", path, dimensions] => others(&read(path, dimensions)?)?,
        _ => bail!("see the top of examples/analysis_bench.rs"),
    };
    println!("{report}");
    Ok(())
}

fn map(embeddings: &Array2<f32>, settings: &TsneSettings, out: &Path) -> anyhow::Result<Value> {
    let (seconds, map) = timed(|| tsne(embeddings.view(), settings, 42));
    let map = map?;
    let points: Vec<f64> = map.points.iter().copied().collect();
    std::fs::write(out, bytemuck::cast_slice(&points))?;
    Ok(json!({ "seconds": seconds, "kl_divergence": map.kl_divergence, "exact": map.exact }))
}

/// What has no peer in scikit-learn: on all embeddings, or on the first 100 and 200 in four groups.
fn others(embeddings: &Array2<f32>) -> anyhow::Result<Value> {
    let half = embeddings.nrows() / 2;
    let (a, b) = embeddings.view().split_at(ndarray::Axis(0), half);
    let hundred = embeddings.slice(s![..100, ..]);
    let second = embeddings.slice(s![100..200, ..]);
    let groups = groups_of(100, 4);
    let (cosines, counted) = timed(|| cosine_histogram(&[embeddings.view()]));
    let counted: u64 = counted.context("no cosines")?.counts[0].iter().sum();
    let (frechet, _) = timed(|| frechet(a, b));
    let (kernel, _) = timed(|| kernel_distance(a, b));
    let (test, _) = timed(|| silhouette_test(hundred, &groups, PERMUTATIONS, 0, "bench"));
    let (difference, _) = timed(|| silhouette_difference(hundred, second, &groups, 0, "bench"));
    let (kernels, _) = timed(|| kernel_test(hundred, second, PERMUTATIONS, 0, "bench"));
    Ok(json!({
        "pairs": counted,
        "cosine_histogram_s": cosines,
        "frechet_of_halves_s": frechet,
        "kernel_distance_of_halves_s": kernel,
        "silhouette_test_of_100_s": test,
        "silhouette_difference_of_100_s": difference,
        "kernel_test_of_100_and_100_s": kernels,
    }))
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

fn groups_of(pieces: usize, count: usize) -> Vec<usize> {
    (0..pieces).map(|i| i % count).collect()
}

/// Raw f32, `[pieces, dimensions]`.
fn read(path: &str, dimensions: &str) -> anyhow::Result<Array2<f32>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {path}"))?;
    let values: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
    let dimensions: usize = dimensions.parse()?;
    let pieces = values.len() / dimensions.max(1);
    Ok(Array2::from_shape_vec((pieces, dimensions), values)?)
}
