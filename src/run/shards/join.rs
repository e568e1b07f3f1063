//! A run takes what its shares finished.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use foreign::{Foreign, Words, words};
use process::progress::note;
use rayon::prelude::*;

use super::SHARDS;
use super::attempt::{Attempt, Header, Taken, attempts, shares};
use super::host::Host;
use crate::exit::UsageError;
use crate::experiment::{Counted, Identity};
use crate::run::folder::cannot_use;
use crate::run::journal::{Entry, Read};
use crate::run::plan::Plan;
use crate::run::store::Store;

/// Journals that are read at once.
const AT_ONCE: usize = 64;
/// Shares that a message names.
const TOLD: usize = 8;

/// Take what the shares in the run folder finished as finished by the run too, and the pieces that they made to its own.
///
/// # Errors
/// When a share was computed with other settings, files, libraries or another version of this program.
pub(in crate::run) fn take(
    store: &mut Store,
    plan: &Plan,
    identity: &Identity,
    counted: &Counted<'_>,
) -> Result<()> {
    let run = store.folder.clone();
    let shares = shares(&run)?;
    let counts: BTreeSet<usize> = shares.iter().map(|shard| shard.of()).collect();
    if counts.len() > 1 {
        return Err(UsageError(words!(
            "{} holds shares of {}; they do not go together: remove all but those of one number",
            run.join(SHARDS).display(),
            Words::join(&counts, " and of ")
        ))
        .into());
    }
    let mut found = Vec::new();
    for &shard in &shares {
        for attempt in attempts(&run, shard)? {
            check(&attempt, identity, counted)?;
            found.push(attempt);
        }
    }
    let made = plan.making.iter().flat_map(|_| &plan.experiment.pieces);
    let paths: HashMap<&str, &Path> = made
        .map(|piece| (piece.id.as_str(), piece.path.as_path()))
        .collect();
    for some in found.chunks(AT_ONCE) {
        let read = some.par_iter().map(|attempt| {
            Read::folder(&attempt.folder).with_context(|| cannot_use(&attempt.folder))
        });
        let read: Vec<Read> = read.collect::<Result<_>>()?;
        for (attempt, read) in some.iter().zip(read) {
            if !take_attempt(attempt, read, &paths, store)? {
                continue;
            }
            let at_share = found
                .iter()
                .filter(|other| other.header.shard == attempt.header.shard);
            store.shares.push(Taken {
                header: attempt.header.clone(),
                ended: attempt.ended.clone(),
                attempts: at_share.count(),
            });
        }
    }
    Ok(())
}

/// The attempt is one at this run.
fn check(attempt: &Attempt, identity: &Identity, counted: &Counted<'_>) -> Result<()> {
    let header = &attempt.header;
    let refused = |what: Words| {
        Err(UsageError(words!(
            "the share {} in {} was computed {}; compute it again with what the run has now, or remove that folder",
            header.shard,
            attempt.folder.display(),
            what
        ))
        .into())
    };
    if header.version != env!("CARGO_PKG_VERSION") {
        return refused(words!(
            "by version {} of this program, and this is {}",
            Foreign::new(&header.version),
            env!("CARGO_PKG_VERSION")
        ));
    }
    if header.identity != identity.full() {
        let parts = counted.parts()?;
        let names: BTreeSet<&String> = header.parts.keys().chain(parts.keys()).collect();
        let other = names
            .into_iter()
            .filter(|name| header.parts.get(*name) != parts.get(*name));
        let other: Vec<Foreign> = other.map(Foreign::new).collect();
        return refused(match other.is_empty() {
            true => "with other settings".into(),
            false => words!("with another {}", Words::join(other, ", ")),
        });
    }
    Ok(())
}

/// Take what is not known yet of an attempt's journal; gives whether there was anything. The journal stays where it is, and
/// is read again by the next process.
fn take_attempt(
    attempt: &Attempt,
    read: Read,
    paths: &HashMap<&str, &Path>,
    store: &mut Store,
) -> Result<bool> {
    let made: HashMap<String, String> = read
        .lines
        .iter()
        .filter_map(|line| match line {
            Entry::Piece { id, sha256 } => Some((id.clone(), sha256.clone())),
            _ => None,
        })
        .collect();
    let (run, journal) = (&store.folder, &store.journal);
    let brought = made
        .par_iter()
        .filter(|(id, _)| journal.piece(id).is_none())
        .filter_map(|(id, _)| Some((id.as_str(), paths.get(id.as_str())?)))
        .map(|(id, path)| Ok(bring(attempt, run, path)?.then_some(id)))
        .filter_map(Result::transpose);
    let brought: HashSet<&str> = brought.collect::<Result<_>>()?;
    let mut any = false;
    store.journal.absorb(read, |journal, line| {
        let is_new = match line {
            Entry::Piece { id, .. } => brought.contains(id.as_str()),
            Entry::Text { arm, prompt, .. } => !journal.has_text(arm, prompt),
            Entry::Audio { arm, id, .. } => {
                // Where a provider does not make the same piece twice, it heard another one.
                let own = made.get(id).map(String::as_str);
                let is_other = own.is_some() && own != journal.piece(id);
                !is_other && !journal.has_clip(arm, id)
            }
            Entry::Ran { arm, graph, .. } => journal.nodes(arm, graph).is_empty(),
        };
        any |= is_new;
        is_new
    });
    Ok(any)
}

/// Bring a piece that an attempt made to the run's own, in the folder `run`; `false` where its file is gone. The attempt keeps
/// it, which may be at work with it. `path` is that of the piece in either folder.
fn bring(attempt: &Attempt, run: &Path, path: &Path) -> Result<bool> {
    let to = files::inside(run, path).with_context(|| cannot_use(run))?;
    // Brought by an earlier process; whether it is whole is looked at in any case.
    if to.exists() {
        return Ok(true);
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| cannot_use(run))?;
    }
    let from = files::inside(&attempt.folder, path).with_context(|| cannot_use(&attempt.folder))?;
    match files::link_or_copy(&from, &to) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => {
            Err(e).with_context(|| format!("cannot bring {} to {}", from.display(), to.display()))
        }
    }
}

/// Shares from processors that may round otherwise than each other, or than `here`, which computes the rest, are told; with
/// `refuse`, refused.
pub(in crate::run) fn check_alike(
    shares: &[Taken],
    here: Option<&Host>,
    refuse: bool,
) -> Result<()> {
    let mut kinds: BTreeMap<String, Vec<&Header>> = BTreeMap::new();
    for taken in shares {
        let header = &taken.header;
        kinds.entry(header.host.kind()).or_default().push(header);
    }
    if let Some(here) = here {
        kinds.entry(here.kind()).or_default();
    }
    if kinds.len() < 2 {
        return Ok(());
    }
    let of_kind = |(kind, headers): (&String, &Vec<&Header>)| {
        let first = headers.iter().take(TOLD);
        let first =
            first.map(|header| words!("{} on {}", header.shard, Foreign::new(&header.host.name)));
        let more = match headers.len().saturating_sub(TOLD) {
            0 => Words::none(),
            more => words!(" and {} more", more),
        };
        let pieces: usize = headers.iter().map(|header| header.pieces).sum();
        match headers.is_empty() {
            true => words!("{} (this machine)", Foreign::new(kind)),
            false => words!(
                "{} ({} pieces: shares {}{})",
                Foreign::new(kind),
                pieces,
                Words::join(first, ", "),
                more
            ),
        }
    };
    let told = words!(
        "shares were computed on processors that may round differently: {}",
        Words::join(kinds.iter().map(of_kind), "; ")
    );
    match refuse {
        true => Err(UsageError(words!("{}; --require-alike refuses them", told)).into()),
        false => {
            note(told);
            Ok(())
        }
    }
}
