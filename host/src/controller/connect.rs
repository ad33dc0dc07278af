//! Finding the API server: a kubeconfig file, `KUBECONFIG`, or the Pod's own account.

use crate::diagnostic::Diagnostic;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::{Path, PathBuf};

/// How the API server was found.
pub(super) struct Connection {
    pub(super) client: Client,
    /// The address, for messages.
    pub(super) server: String,
    /// Whether the configuration is that of a Pod in the cluster.
    pub(super) in_cluster: bool,
    /// The namespace of the configuration.
    pub(super) namespace: String,
}

/// Connects as the command line and the environment say; without a context to the current one.
pub(super) async fn connect(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Connection, Diagnostic> {
    let (mut config, in_cluster) = configuration(kubeconfig, context).await?;
    // Whether to repeat a call is decided where it is known what the call does.
    config.default_retry = false;
    let agent = concat!("jobpolicy/", env!("CARGO_PKG_VERSION"));
    config.headers.push((http::header::USER_AGENT, http::HeaderValue::from_static(agent)));
    let (server, namespace) = (config.cluster_url.to_string(), config.default_namespace.clone());
    let client = Client::try_from(config).map_err(|error| {
        Diagnostic::error(format!("cannot set up the connection to {server}: {error}"))
            .help("look at the certificates and credentials in the kubeconfig")
    })?;
    Ok(Connection { client, server, in_cluster, namespace })
}

async fn configuration(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<(Config, bool), Diagnostic> {
    let files = match kubeconfig {
        Some(file) => vec![file.to_path_buf()],
        None => files_of_environment(),
    };
    if files.is_empty() {
        let config = Config::incluster().map_err(|error| {
            Diagnostic::error(format!(
                "no cluster to connect to: there is no kubeconfig, and this is no Pod of a cluster ({error})"
            ))
            .help("pass --kubeconfig FILE or set KUBECONFIG")
        })?;
        return Ok((config, true));
    }
    let named = files.iter().map(|file| format!("`{}`", file.display())).collect::<Vec<_>>().join(", ");
    let unusable = |error: &dyn std::fmt::Display| {
        Diagnostic::error(format!("cannot use the kubeconfig {named}: {error}"))
            .help("`kubectl config view --kubeconfig FILE` shows what kubectl reads in it")
    };
    let mut merged: Option<Kubeconfig> = None;
    for file in &files {
        let next = Kubeconfig::read_from(file).map_err(|error| unusable(&error))?;
        merged = Some(match merged {
            Some(merged) => merged.merge(next).map_err(|error| unusable(&error))?,
            None => next,
        });
    }
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(merged.unwrap_or_default(), &options).await;
    Ok((config.map_err(|error| unusable(&error))?, false))
}

/// The files of `KUBECONFIG`, passing over those that do not exist as kubectl does; else `~/.kube/config`, except in a
/// Pod.
fn files_of_environment() -> Vec<PathBuf> {
    let listed = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty());
    if let Some(list) = listed {
        let files: Vec<PathBuf> =
            std::env::split_paths(&list).filter(|file| !file.as_os_str().is_empty()).collect();
        let existing: Vec<PathBuf> = files.iter().filter(|file| file.exists()).cloned().collect();
        // If none exists, the first one's absence is the message.
        return if existing.is_empty() { files.into_iter().take(1).collect() } else { existing };
    }
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Vec::new();
    }
    let home = std::env::home_dir().map(|home| home.join(".kube").join("config"));
    home.into_iter().filter(|file| file.exists()).collect()
}
