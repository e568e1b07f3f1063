//! The analyses on a file of embeddings, timed: the harness's side of `scripts/bench/analysis.py`.
//!
//!     analysis_bench tsne EMBEDDINGS DIMENSIONS PERPLEXITY ITERATIONS POINTS
//!     analysis_bench silhouette EMBEDDINGS DIMENSIONS GROUPS
//!
//! EMBEDDINGS is raw little-endian f32, row by row; POINTS, raw f64, is written. GROUPS says that piece i is of group i mod
//! GROUPS. The last line printed is JSON, times in seconds without reading the file.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use harness::analysis::silhouette::silhouette;
use harness::analysis::tsne::{TsneSettings, tsne};
use ndarray::Array2;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["tsne", path, dimensions, perplexity, iterations, out] => {
            let embeddings = read(Path::new(path), dimensions.parse()?)?;
            let settings = TsneSettings {
                perplexity: perplexity.parse()?,
                iterations: iterations.parse()?,
                ..TsneSettings::default()
            };
            let start = Instant::now();
            let map = tsne(embeddings.view(), &settings, 42)?;
            let seconds = start.elapsed().as_secs_f64();
            let points: Vec<f64> = map.points.iter().copied().collect();
            std::fs::write(out, bytemuck::cast_slice(&points))?;
            println!(
                "{}",
                serde_json::json!({ "seconds": seconds, "kl_divergence": map.kl_divergence })
            );
        }
        ["silhouette", path, dimensions, groups] => {
            let embeddings = read(Path::new(path), dimensions.parse()?)?;
            let count: usize = groups.parse()?;
            let groups: Vec<usize> = (0..embeddings.nrows()).map(|i| i % count).collect();
            let start = Instant::now();
            let found = silhouette(embeddings.view(), &groups).context("no silhouette")?;
            let seconds = start.elapsed().as_secs_f64();
            println!(
                "{}",
                serde_json::json!({ "seconds": seconds, "silhouette": found.mean })
            );
        }
        _ => bail!("see the top of examples/analysis_bench.rs"),
    }
    Ok(())
}

/// Raw f32, `[pieces, dimensions]`.
fn read(path: &Path, dimensions: usize) -> anyhow::Result<Array2<f32>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let values: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
    let pieces = values.len() / dimensions.max(1);
    Ok(Array2::from_shape_vec((pieces, dimensions), values)?)
}
