//! How an experiment makes its maps.

use analysis::tsne::{TsneError, TsneSettings};
use foreign::words;
use strict_yaml::{Document, YamlError};

use super::raw::RawTsne;

pub(super) fn resolve(document: &Document, raw: RawTsne) -> Result<TsneSettings, YamlError> {
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
