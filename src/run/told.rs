//! What is told of the pieces of a plan.

use std::collections::HashSet;

use pipelines::clips::ClipInfo;
use process::progress::note;

use super::length::pieces_and_length;
use super::plan::Plan;
use super::source::FoundRun;
use crate::experiment::Experiment;
use crate::spec::Piece;

/// Which pieces are scored is no detail: the run that is there may have been a short trial.
pub(super) fn note_source(plan: &Plan, found: &FoundRun, key: &str) {
    let of_run = |clip: &(&Piece, &ClipInfo)| clip.0.path.starts_with(&found.folder);
    let clips = plan
        .experiment
        .pieces
        .iter()
        .zip(&plan.clips)
        .filter(of_run);
    let seconds: Vec<f64> = clips.map(|(_, clip)| clip.duration_s).collect();
    let mut sources = plan.sources.iter().flatten();
    let source = sources.find(|source| source.folder == found.folder);
    let others = match found.others.as_slice() {
        [] => String::new(),
        [first, ..] => format!(
            "; of {} there {} too: --set {key}={} takes its pieces",
            source.map_or("it", |s| &s.experiment),
            match found.others.len() {
                1 => "is another finished run".to_owned(),
                n => format!("are {n} other finished runs"),
            },
            first.display()
        ),
    };
    note(format!(
        "{} takes its pieces from {} ({}){others}",
        plan.experiment.name,
        found.folder.display(),
        pieces_and_length(seconds.len(), seconds.iter().sum())
    ));
}

/// Pieces without a taste are in no box of a figure but that of all pieces: worth knowing before they are made.
pub(super) fn note_without_taste(experiment: &Experiment) {
    let (mut without, mut seen) = (Vec::<&str>::new(), HashSet::new());
    for piece in experiment.pieces.iter().filter(|p| p.taste.is_none()) {
        let id = piece
            .origin
            .as_ref()
            .map_or(piece.id.as_str(), |o| &o.prompt_id);
        if seen.insert(id) {
            without.push(id);
        }
    }
    if !without.is_empty() && !experiment.tastes.is_empty() {
        let first: Vec<&str> = without.iter().take(10).copied().collect();
        let more = if without.len() > first.len() {
            ", …"
        } else {
            ""
        };
        note(format!(
            "{} {} {}: {}{more}",
            without.len(),
            experiment.word.said("descriptions name none of the tastes"),
            experiment.tastes.join(", "),
            first.join(", ")
        ));
    }
}
