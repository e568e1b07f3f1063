//! The keys of a task's files: one struct a task, so that a key of another task is an unknown one.

/// The struct of a task: the keys that every file has around its own, in the order in which errors list them, and those as
/// [`Head`](crate::experiment::Head).
macro_rules! task_keys {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* } $({ $($last:tt)* })?) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            experiment: String,
            notebook: Option<String>,
            #[serde(rename = "task")]
            _task: String,
            // Read by `spec::label`, which every file goes through.
            #[serde(rename = "label")]
            _label: Option<serde::de::IgnoredAny>,
            $($own)*
            seed: Option<u64>,
            limit: Option<u64>,
            $($($last)*)?
        }

        impl $name {
            fn head(
                &self,
                document: &strict_yaml::Document,
                overrides: &$crate::experiment::Overrides,
            ) -> Result<$crate::experiment::Head, $crate::spec::SpecError> {
                let (name, notebook) = (&self.experiment, self.notebook.as_ref());
                let (seed, limit) = (self.seed, self.limit);
                $crate::experiment::Head::checked(document, overrides, name, notebook, seed, limit)
            }
        }
    };
}

pub(super) use task_keys;
