//! A run takes what its shares finished.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use foreign::{Foreign, Words, words};
use process::progress::note;

use super::SHARDS;
use super::attempt::{Attempt, Header, Taken, attempts, shares};
use super::host::Host;
use crate::exit::UsageError;
use crate::experiment::{Counted, Identity};
use crate::results::Embeddings;
use crate::run::AUDIO;
use crate::run::folder::{JOURNAL, cannot_use};
use crate::run::journal::Entry;
use crate::run::store::Store;

/// Lines that go to the journal in one write.
const AT_ONCE: usize = 1024;
/// Shares that a message names.
const TOLD: usize = 8;

/// Take what the shares in the run folder finished into the run's own journal, and the pieces that they made to its own.
///
/// # Errors
/// When a share was computed with other settings, files, libraries or another version of this program.
pub(in crate::run) fn take(
    store: &mut Store,
    identity: &Identity,
    counted: &Counted,
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
    for attempt in &found {
        let at_share = found
            .iter()
            .filter(|other| other.header.shard == attempt.header.shard);
        let taken = Taken {
            header: attempt.header.clone(),
            ended: attempt.ended.clone(),
            attempts: at_share.count(),
        };
        take_attempt(attempt, taken, store)?;
    }
    Ok(())
}

/// The attempt is one at this run.
fn check(attempt: &Attempt, identity: &Identity, counted: &Counted) -> Result<()> {
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
        let parts = counted.parts();
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

/// What is not known yet of an attempt's journal.
fn take_attempt(attempt: &Attempt, taken: Taken, store: &mut Store) -> Result<()> {
    let mut lines: Vec<Entry> = Vec::new();
    let path = attempt.folder.join(JOURNAL);
    let read = crate::run::lines::Lines::read(&path, |entry: Entry| lines.push(entry));
    read.with_context(|| cannot_use(&attempt.folder))?;
    if lines.iter().any(|line| matches!(line, Entry::Piece { .. })) {
        fs::create_dir_all(store.folder.join(AUDIO)).with_context(|| cannot_use(&store.folder))?;
    }
    let mut first = Some(Entry::Share(Box::new(taken)));
    let mut new = Vec::new();
    for entry in lines {
        let is_new = match &entry {
            Entry::Piece { id, .. } => {
                store.journal.piece(id).is_none() && bring(attempt, store, id)?
            }
            Entry::Text { arm, prompt, .. } => store.journal.text(arm, prompt).is_none(),
            Entry::Audio { arm, id, .. } => store.journal.clip(arm, id).is_none(),
            Entry::Ran { arm, graph, .. } => store.journal.nodes(arm, graph).is_empty(),
            Entry::Share(_) => false,
        };
        if !is_new {
            continue;
        }
        new.extend(first.take());
        new.push(entry);
        if new.len() >= AT_ONCE {
            store.add(std::mem::take(&mut new))?;
        }
    }
    if !new.is_empty() {
        store.add(new)?;
    }
    Ok(())
}

/// Bring a piece that an attempt made to the run's own; `false` where its file is gone. The attempt keeps it, which may be at
/// work with it.
fn bring(attempt: &Attempt, store: &Store, id: &str) -> Result<bool> {
    crate::spec::check_file_id(id).map_err(|message| anyhow::anyhow!("{message}"))?;
    let name = Path::new(AUDIO).join(format!("{id}.wav"));
    let from =
        files::inside(&attempt.folder, &name).with_context(|| cannot_use(&attempt.folder))?;
    let to = files::inside(&store.folder, &name).with_context(|| cannot_use(&store.folder))?;
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
