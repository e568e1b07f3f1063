//! What is said of two runs that can be compared.

use serde_json::json;

use crate::support::{Runs, SCORES, TEXTS, row};

fn four(scores: [f64; 4]) -> String {
    let [a, b, c, d] = scores;
    row("1", a, "sweet", "on")
        + &row("2", b, "sweet", "on")
        + &row("3", c, "sour", "on")
        + &row("4", d, "sour", "on")
}

#[test]
fn the_same_numbers_are_no_difference() {
    let rows = four([0.5, 0.25, 0.125, 0.0]);
    let runs = Runs::with(&rows, &rows);
    let ran = runs.says(
        &[],
        0,
        &[
            "no setting differs",
            "4 rows in both; no score changed",
            "no difference in any row",
        ],
    );
    assert_eq!(ran.stderr, "");
    // A folder against itself.
    runs.write("b/scores.csv", "");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_harness"));
    let ran = crate::lab::ran(command.arg("diff").arg(runs.at("a")).arg(runs.at("a")));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn rows_that_moved_are_told_with_their_size_and_the_exit_code() {
    let runs = Runs::with(
        &four([0.5, 0.25, 0.125, 0.0]),
        &four([0.25, 0.25, 0.375, 0.0]),
    );
    runs.manifest("b", |m| m["crops"]["policy"] = json!("center"));
    let ran = runs.says(
        &["--top", "1"],
        1,
        &[
            "setting  A       B",
            "crops    seeded  center",
            "4 rows in both; 2 with another score",
            "CLAP score, B - A  of  largest |change|  mean |change|  mean change  n  changed  Pearson r  Kendall tau-b",
            "on                 1           0.250000       0.125000     0.000000  4        2     0.4266         0.1826",
            "on                    sweet > sour  the same  -               1.0000",
            "moved most  id         A         B     change",
            "on          1   0.500000  0.250000  -0.250000",
            "and 1 more",
        ],
    );
    assert_eq!(
        ran.stderr,
        "error: the runs differ: 2 of 4 rows moved by more than 0, most of all 1 under on (0.250000)\n"
    );
    runs.says(
        &["--tolerance", "0.25"],
        0,
        &["nothing moved by more than 0.25"],
    );
    runs.says(&["--tolerance", "0.249"], 1, &[]);
}

#[test]
fn the_order_of_the_tastes_is_compared() {
    let runs = Runs::with(&four([0.5, 0.5, 0.25, 0.25]), &four([0.25, 0.25, 0.5, 0.5]));
    runs.says(
        &[],
        1,
        &[
            "tastes by mean score  A             B             swapped         Kendall tau-b",
            "on                    sweet > sour  sour > sweet  sweet and sour        -1.0000",
        ],
    );
    let constant = four([0.25; 4]);
    let runs = Runs::with(&constant, &constant);
    runs.says(
        &[],
        0,
        &["on                    sour > sweet  the same  -                    -"],
    );
}

#[test]
fn rows_of_one_side_only_fail_whatever_the_tolerance() {
    let common = row("1", 0.5, "", "on");
    let runs = Runs::with(
        &(common.clone() + &row("2", 0.1, "sweet", "on")),
        &(row("3", 0.2, "", "off") + &common),
    );
    let ran = runs.says(
        &["--tolerance", "1", "--out", "rows.csv"],
        1,
        &[
            "1 row only in A: 2 under on",
            "1 row only in B: 3 under off",
        ],
    );
    let expected =
        "3 rows in rows.csv\nerror: the runs differ: 1 row is only in A; 1 row is only in B\n";
    assert_eq!(ran.stderr, expected);
    assert_eq!(
        runs.read("rows.csv"),
        "condition,id,taste,found_in,score_a,score_b,change,audio_distance,text_distance,\
         audio_cosine,text_cosine\n\
         on,1,,both,0.5,0.5,0.0,,,,\non,2,sweet,a,0.1,,,,,,\noff,3,,b,,0.2,,,,,\n"
    );
}

#[test]
fn embeddings_are_compared_where_both_have_them() {
    let rows = row("1", 0.5, "", "on") + &row("2", 0.5, "", "on");
    let runs = Runs::with(&rows, &rows);
    let header = "prompt,audio_name,clap_score,audio_emb,text_emb,taste,arm,id\n";
    let with = |second: &str| {
        format!(
            "{header}p,1.wav,0.5,\"[1,0]\",\"[0,1]\",,on,1\np,2.wav,0.5,\"{second}\",\"[0,1]\",,on,2\n"
        )
    };
    runs.write("a/embeddings.csv", with("[1,0]"));
    runs.write("b/embeddings.csv", with("[0,2]"));
    // Scores decide; embeddings are told.
    runs.says(
        &[],
        0,
        &[
            "cosine of the embeddings in A and B  lowest of       lowest         mean  n  the same",
            "on, audio                            2          0.000000000  0.500000000  2         1",
            "on, text                             -          1.000000000  1.000000000  2         2",
        ],
    );
    runs.write("b/embeddings.csv", with("[0,2,0]"));
    runs.says(
        &[],
        0,
        &["1 row with embeddings that have no cosine: of two lengths, zero, or not finite"],
    );
}

#[test]
fn runs_of_texts_are_compared_by_their_embeddings() {
    let runs = Runs::empty();
    let rows = |second: &str| {
        format!("{TEXTS}calm,\"[1,0]\",caption,x,1\n\"sweet, warm\",\"{second}\",descriptor,x,7\n")
    };
    runs.write("a/embeddings.csv", rows("[0,1]"));
    runs.write("b/embeddings.csv", rows("[0,1]"));
    let ran = runs.says(&[], 0, &["2 rows in both; no embedding changed"]);
    let told = "has no manifest.json: settings are not compared, and the run may not be finished\n";
    assert_eq!(ran.stderr, format!("a {told}b {told}"));

    runs.write("b/embeddings.csv", rows("[0.6,0.8]"));
    let ran = runs.says(
        &["--out", "rows.csv"],
        1,
        &[
            "moved most  id  text         1 - cosine",
            "descriptor  x   sweet, warm     2.00e-1",
            "caption                              -          1.000000000  1.000000000  1         1",
            "descriptor                           x          0.799999993  0.799999993  1         0",
        ],
    );
    assert!(ran.stderr.ends_with(
        "1 of 2 rows moved by more than 0, most of all x under descriptor (0.200000)\n"
    ));
    assert!(
        runs.read("rows.csv")
            .contains("descriptor,x,,both,,,,,0.2000000")
    );
    runs.says(&["--tolerance", "0.21"], 0, &[]);
}

#[test]
fn prompts_crops_pieces_and_means_that_differ_are_told() {
    let runs = Runs::with("1,p,x.wav,0.5,,on,1,2,3,\n", "1,q,y.wav,0.5,,on,1,2,4,\n");
    for (run, hash, score) in [("a", "11", 0.25), ("b", "22", 0.5)] {
        runs.manifest(run, |m| {
            m["generation"] = json!({ "pieces": [{ "id": "1", "sha256": hash }] });
            m["settings"]["pieces"] =
                json!([{ "id": "1", "path": format!("{run}/1.wav"), "prompt": run }]);
        });
        let stats = format!(
            "kind,arm,arm_b,taste,n,mean,sd,min,q1,median,q3,max,ci_low,ci_high,wins,cohens_d,pearson_r,kendall_tau_b,\
             t_p,wilcoxon_p,t_p_holm,wilcoxon_p_holm\narm,on,,all,1,{score},,0,0,0,0,0,,,,,,,,,,\n"
        );
        runs.write(&format!("{run}/stats.csv"), stats);
    }
    runs.says(
        &[],
        0,
        &[
            "setting           A  B",
            "pieces[1].prompt  a  b",
            "place (counts for nothing)  A        B",
            "pieces[1].path              a/1.wav  b/1.wav",
            "1 row in both, 1 with another prompt in B, 1 heard at other places (crops); no score changed",
            "1 piece made by both runs, 0 of them the same file; others: 1",
            "stats.csv: largest change of a mean +0.250000: scores of on, taste all",
        ],
    );
}

#[test]
fn sets_of_pieces_are_matched_by_their_condition() {
    let runs = Runs::empty();
    let header = SCORES.replace("taste,arm", "taste,set,condition,own_prompt,arm");
    let rows = "1,p,x.wav,0.5,sweet,base,base,p,on,,,,\n1,p,y.wav,0.25,sweet,new,new,p,on,,,,\n";
    runs.write("a/scores.csv", format!("{header}{rows}"));
    runs.write("b/scores.csv", format!("{header}{rows}"));
    let embeddings = "prompt,audio_name,clap_score,audio_emb,text_emb,taste,arm,id,set\n\
        p,x.wav,0.5,[1],[1],sweet,on,1,base\np,y.wav,0.5,[1],[1],sweet,on,1,new\n";
    runs.write("a/embeddings.csv", embeddings);
    runs.write("b/embeddings.csv", embeddings);
    let ran = runs.says(&[], 0, &["2 rows in both; no score changed"]);
    assert!(ran.stdout.contains("\nbase, audio ") && ran.stdout.contains("\nnew, text "));
}

#[test]
fn random_weights_are_told() {
    let rows = row("1", 0.5, "", "on");
    let runs = Runs::with(&rows, &rows);
    runs.manifest("b", |m| m["random_weights"] = json!(true));
    let ran = runs.says(&[], 0, &[]);
    assert_eq!(ran.stderr, "random weights: the numbers mean nothing\n");
}
