//! Files of a volume that get into each other's way (`warningsForOverlappingVirtualPaths`).

use super::super::field::Field;
use super::Warnings;
use crate::cron::go_text::quote;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A file's path, and where it comes from; empty where the volume says it.
#[derive(PartialEq)]
struct Source {
    path: String,
    from: String,
}

impl Source {
    fn new(path: &str, from: impl Into<String>) -> Self {
        Source { path: path.trim_end_matches('/').into(), from: from.into() }
    }

    fn shown(&self) -> String {
        match self.from.as_str() {
            "" => quote(&self.path),
            from => format!("{} ({from})", quote(&self.path)),
        }
    }

    /// Whether both are one path, or one is a directory that holds the other.
    fn overlaps(&self, other: &Source) -> bool {
        let holds = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !self.path.is_empty()
            && !other.path.is_empty()
            && (holds(&self.path, &other.path) || holds(&other.path, &self.path))
    }
}

pub(super) fn volume(volume: &Field<'_, '_>, found: &mut Warnings) {
    let name = quote(volume.child("name").text());
    for (kind, title, key) in [
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("downwardAPI", "DownwardAPI", ""),
    ] {
        let source = volume.child(kind);
        let title = match key {
            "" => title.into(),
            key => format!("{title} {}", quote(source.child(key).text())),
        };
        let mut all = Vec::new();
        for item in source.child("items").items() {
            add(&mut all, Source::new(item.child("path").text(), ""), &name, &title, found);
        }
    }
    let projected = volume.child("projected");
    let mut all = Vec::new();
    for source in projected.child("sources").items() {
        if source.fields().is_none_or(|fields| fields.values().next().is_none()) {
            found.push(format!("volume {name} (Projected) has no sources provided"));
        }
        for file in files(&source) {
            add(&mut all, file, &name, "Projected", found);
        }
    }
}

fn add(all: &mut Vec<Source>, this: Source, volume: &str, title: &str, found: &mut Warnings) {
    for other in all.iter().filter(|other| this.overlaps(other)) {
        let (this, other) = (this.shown(), other.shown());
        found.push(format!("volume {volume} ({title}): overlapping paths: {this} with {other}"));
    }
    all.push(this);
}

/// The files of the first kind that a source has.
fn files(source: &Field<'_, '_>) -> Vec<Source> {
    for (kind, title) in [("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")] {
        let projection = source.child(kind);
        let items = projection.child("items");
        if items.is_set() {
            let from = match kind {
                "downwardAPI" => title.into(),
                _ => format!("{title} {}", quote(projection.child("name").text())),
            };
            return items.items().map(|item| Source::new(item.child("path").text(), from.as_str())).collect();
        }
    }
    let token = source.child("serviceAccountToken");
    if token.is_set() {
        return alloc::vec![Source::new(token.child("path").text(), "ServiceAccountToken")];
    }
    let bundle = source.child("clusterTrustBundle");
    if bundle.is_set() {
        let name = bundle.child("name").opt_text().unwrap_or(bundle.child("signerName").text());
        let from = format!("ClusterTrustBundle {}", quote(name));
        return alloc::vec![Source::new(bundle.child("path").text(), from)];
    }
    let certificate = source.child("podCertificate");
    let paths = [
        ("certificateChainPath", "PodCertificate chain"),
        ("keyPath", "PodCertificate key"),
        ("credentialBundlePath", "PodCertificate credential bundle"),
    ];
    let set = paths.into_iter().filter(|(field, _)| !certificate.child(field).text().is_empty());
    set.map(|(field, from)| Source::new(certificate.child(field).text(), from)).collect()
}
