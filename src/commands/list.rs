//! `harness list`: the experiments and cards that go by a name here, and where each comes from.

use std::path::Path;

use anyhow::Result;
use process::progress::result;

use crate::args::ModelsArgs;
use crate::builtin::BUILTIN;
use crate::card::Card;
use crate::run;
use crate::tables::aligned;

pub(crate) fn list(args: &ModelsArgs) -> Result<()> {
    let header = ["what", "name", "from"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    let origin = |path: &Path| match BUILTIN.has(path) {
        true => "built in".to_owned(),
        false => path.display().to_string(),
    };
    for name in run::experiments_named()? {
        let path = run::experiment(Path::new(&name))?;
        rows.push(vec!["experiment".to_owned(), name, origin(&path)]);
    }
    for card in Card::all(&args.models)? {
        rows.push(vec!["card".to_owned(), card.name, origin(&card.path)]);
    }
    Ok(result(aligned::table(&rows, 3))?)
}
