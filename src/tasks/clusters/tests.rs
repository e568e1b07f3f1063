use serde_json::json;

use crate::tasks::tests::{of_text, settings};

const CLUSTERS: &str = "\
experiment: fusion_tsne
task: clusters
audio: { files: DIR/a, text: \"{taste} music\" }
tastes: [sweet, bitter]
arms: [{ name: on, model: a }]
pieces_per_taste: [25, 10, 10]
tsne: { perplexity: 5 }
";

#[test]
fn clusters_have_their_subsets_and_maps_their_settings() {
    let experiment = of_text(CLUSTERS, &[]).unwrap();
    assert_eq!(
        settings(&experiment)["clusters"]["pieces_per_taste"],
        json!([10, 25])
    );
    assert_eq!(
        (experiment.tsne.perplexity, experiment.tsne.iterations),
        (5.0, 2000)
    );
    for (from, to, expected) in [
        (
            "[sweet, bitter]",
            "[sweet]",
            "w.yaml:4: 'tastes' needs at least two: what is measured is how far they lie apart",
        ),
        (
            "[25, 10, 10]",
            "[25, 1]",
            "w.yaml:6: 'pieces_per_taste' needs 2 or more: one piece has no neighbour",
        ),
        (
            "perplexity: 5",
            "perplexity: 0",
            "w.yaml:7: `perplexity` of t-SNE is 0: it must be 1 to 1000",
        ),
        (
            "perplexity: 5",
            "perplexty: 5",
            "w.yaml:7: unknown key 'perplexty' in 'tsne'; did you mean 'perplexity'? (valid here: pca_components, perplexity, \
             learning_rate, iterations)",
        ),
    ] {
        assert_eq!(
            of_text(&CLUSTERS.replace(from, to), &[]).unwrap_err(),
            expected
        );
    }
    assert_eq!(
        of_text(CLUSTERS, &["permutations=7"]).unwrap_err(),
        "--set permutations=7: 'permutations' must be from 100 to 1000000"
    );
}
