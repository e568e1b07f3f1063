//! An Indexed Job of Kubernetes: its pods are counted from 0, and none is told of how many.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/job/>

use foreign::Words;
use serde_json::{Value, json};

use super::job::{Job, Script, Step, Submission, quote, quoted};
use super::{Ask, Engine, of_count};

const INDEX: &str = "JOB_COMPLETION_INDEX";
/// Attempts at a share that fail before it is given up; those that ask to be started again do not count.
const ATTEMPTS: usize = 6;
/// Longest name of a job: its pods' have a number behind it.
const MOST_LETTERS: usize = 50;

pub(super) const ENGINE: Engine = Engine {
    name: "kubernetes",
    submit,
    queue: None,
    variables: &[INDEX],
    shard: |variables| of_count(variables, INDEX, 0),
};

/// The pods mount the volume claim at the folder that this program is called in, with program, models, pieces and runs below it.
fn submit(job: &Job, _: &Ask<'_>) -> Result<Submission, Words> {
    job.waits_for_none()?;
    let [image, claim] = job.extra.as_slice() else {
        return Err(
            "a pod needs an image and a claim of a volume that holds this folder; name both: -- IMAGE CLAIM"
                .into(),
        );
    };
    let here = job.here.display().to_string();
    let there = quote(&here);
    let name = |what: &str| {
        let letters = format!("{what}-{}", job.name.to_lowercase());
        let plain = letters
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
        let plain: String = plain.take(MOST_LETTERS).collect();
        plain.trim_matches('-').to_owned()
    };
    let pod = |what: &str, command: String| {
        json!({
            "restartPolicy": "Never",
            "containers": [{
                "name": what,
                "image": image,
                "command": ["sh", "-c", format!("cd {there} && {command}")],
                "volumeMounts": [{ "name": "work", "mountPath": here }],
            }],
            "volumes": [{ "name": "work", "persistentVolumeClaim": { "claimName": claim } }],
        })
    };
    // Indices are not to be chosen: a share that is done ends at once.
    let again = json!({
        "rules": [{ "action": "Ignore", "onExitCodes": { "operator": "In", "values": [75] } }],
    });
    let shares = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name("share") },
        "spec": {
            "completionMode": "Indexed",
            "completions": job.of,
            "parallelism": job.of,
            "backoffLimitPerIndex": ATTEMPTS,
            "podFailurePolicy": again,
            "template": { "spec": pod("share", format!("exec {} --shard $((JOB_COMPLETION_INDEX + 1))/{}", quoted(&job.share), job.of)) },
        },
    });
    // Nothing waits for a job here: it fails while shares are missing, and is tried again.
    let join = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name("join") },
        "spec": {
            "backoffLimit": 1000,
            "template": { "spec": pod("join", format!("exec {}", quoted(&job.join))) },
        },
    });
    let text = [&shares, &join].map(|document: &Value| format!("{document:#}\n"));
    Ok(Submission {
        scripts: vec![Script {
            // JSON is YAML.
            name: "jobs.yaml",
            text: text.join("---\n"),
        }],
        steps: vec![Step {
            words: vec![format!("kubectl apply -f {}", quote(&job.script("jobs.yaml"))).into()],
        }],
    })
}
