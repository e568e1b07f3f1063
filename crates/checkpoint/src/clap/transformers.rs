//! laion_clap's names in the spelling of transformers' `ClapModel`.

/// The names in the file for a canonical name: one, or query, key and value.
pub(super) fn sources(canonical: &str) -> Vec<String> {
    if let Some(rest) = canonical.strip_prefix("audio_branch.") {
        return audio(rest)
            .into_iter()
            .map(|name| format!("audio_model.audio_encoder.{name}"))
            .collect();
    }
    if let Some(rest) = canonical.strip_prefix("text_branch.") {
        return vec![format!("text_model.{rest}")];
    }
    // audio_projection, text_projection: modules 0 and 2 of a Sequential there, two named layers here.
    vec![
        canonical
            .replace("_projection.0.", "_projection.linear1.")
            .replace("_projection.2.", "_projection.linear2."),
    ]
}

fn audio(name: &str) -> Vec<String> {
    if let Some(rest) = name.strip_prefix("bn0.") {
        return vec![format!("batch_norm.{rest}")];
    }
    let in_block = name.find(".blocks.").is_some();
    if let Some((block, kind)) = name.split_once(".attn.qkv.") {
        return ["query", "key", "value"]
            .map(|part| format!("{block}.attention.self.{part}.{kind}"))
            .to_vec();
    }
    const IN_BLOCK: &[(&str, &str)] = &[
        (".norm1.", ".layernorm_before."),
        (".norm2.", ".layernorm_after."),
        (".attn.relative", ".attention.self.relative"),
        (".attn.proj.", ".attention.output.dense."),
        (".mlp.fc1.", ".intermediate.dense."),
        (".mlp.fc2.", ".output.dense."),
    ];
    let renamed = IN_BLOCK
        .iter()
        .find(|(laion, _)| in_block && name.contains(laion));
    match renamed {
        Some((laion, here)) => vec![name.replace(laion, here)],
        None => vec![name.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_modeling_clap() {
        let block = "audio_branch.layers.2.blocks.5";
        let there = "audio_model.audio_encoder.layers.2.blocks.5";
        for (laion, here) in [
            ("attn.proj.bias", "attention.output.dense.bias"),
            ("mlp.fc2.weight", "output.dense.weight"),
            ("norm1.weight", "layernorm_before.weight"),
        ] {
            assert_eq!(
                sources(&format!("{block}.{laion}")),
                [format!("{there}.{here}")]
            );
        }
        assert_eq!(
            sources(&format!("{block}.attn.qkv.bias"))[2],
            format!("{there}.attention.self.value.bias")
        );
        assert_eq!(
            sources("audio_branch.layers.0.downsample.norm.bias"),
            ["audio_model.audio_encoder.layers.0.downsample.norm.bias"]
        );
        assert_eq!(
            sources("text_projection.2.weight"),
            ["text_projection.linear2.weight"]
        );
    }
}
