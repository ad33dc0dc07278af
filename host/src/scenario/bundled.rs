//! The scenarios that come along.

/// Reads the files at build time.
macro_rules! bundled {
    ($($name:literal),+ $(,)?) => {
        /// The scenarios that come along, by name, in the order of the tutorials.
        pub const BUNDLED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../web-playground/scenarios/", $name, ".yaml")))),+];
    };
}

bundled![
    "cron-hello",
    "coarse-work-queue",
    "indexed-dns",
    "fine-work-queue",
    "indexed-static",
    "template-expansion",
    "pod-failure-policy-failjob",
    "pod-failure-policy-ignore",
    "pod-failure-policy-config-issue",
    "pod-failure-policy-more",
];
