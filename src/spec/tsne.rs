//! How an experiment makes its maps.

use analysis::tsne::{TsneError, TsneSettings};
use foreign::words;
use serde::Deserialize;
use strict_yaml::{Document, YamlError};

/// How maps are made; the defaults are those of the notebook TSNEEnableFusion.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawTsne {
    pub pca_components: u64,
    pub perplexity: f64,
    pub learning_rate: f64,
    pub iterations: u64,
}

impl Default for RawTsne {
    fn default() -> Self {
        let settings = TsneSettings::default();
        Self {
            pca_components: settings.pca_components as u64,
            perplexity: settings.perplexity,
            learning_rate: settings.learning_rate,
            iterations: settings.iterations as u64,
        }
    }
}

pub(crate) fn resolve(document: &Document, raw: RawTsne) -> Result<TsneSettings, YamlError> {
    let settings = TsneSettings {
        pca_components: usize::try_from(raw.pca_components).unwrap_or(usize::MAX),
        perplexity: raw.perplexity,
        learning_rate: raw.learning_rate,
        iterations: usize::try_from(raw.iterations).unwrap_or(usize::MAX),
        ..TsneSettings::default()
    };
    match settings.validate() {
        Ok(()) => Ok(settings),
        Err(error) => {
            let key = match &error {
                TsneError::Setting { name, .. } => format!("tsne.{name}"),
                _ => "tsne".to_owned(),
            };
            Err(document.invalid(&key, words!("{}", error)))
        }
    }
}
