//! The folder for what can be fetched or made again: ONNX Runtime libraries, hashes of files already checked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// Neither `HARNESS_CACHE` nor a home folder says where the cache is.
#[derive(Debug, thiserror::Error)]
#[error("no place for the cache: there is no home folder; set HARNESS_CACHE to a folder")]
pub struct NoCacheFolder;

/// `$HARNESS_CACHE`, else `harness` in the user's cache folder (`$XDG_CACHE_HOME`, `~/.cache`). Made by whoever writes.
///
/// # Errors
/// When neither is known.
pub fn folder() -> Result<PathBuf, NoCacheFolder> {
    choose(std::env::var_os("HARNESS_CACHE"), || {
        etcetera::choose_base_strategy().ok().map(|s| s.cache_dir())
    })
}

/// An empty variable is as good as none; a relative one is taken from the working folder.
fn choose(
    own: Option<OsString>,
    user: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, NoCacheFolder> {
    if let Some(own) = own.filter(|v| !v.is_empty()) {
        let own = Path::new(&own);
        return std::path::absolute(own).map_err(|_| NoCacheFolder);
    }
    user().map(|c| c.join("harness")).ok_or(NoCacheFolder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_variable_goes_first_and_an_empty_one_does_not_count() {
        let user = || Some(PathBuf::from("/home/u/.cache"));
        assert_eq!(
            choose(Some("/data/h".into()), user).unwrap(),
            Path::new("/data/h")
        );
        let usual = Path::new("/home/u/.cache/harness");
        assert_eq!(choose(Some("".into()), user).unwrap(), usual);
        assert_eq!(choose(None, user).unwrap(), usual);
    }

    #[test]
    fn without_a_home_the_error_names_the_way_out() {
        let error = choose(None, || None).unwrap_err();
        assert!(error.to_string().contains("HARNESS_CACHE"));
    }
}
