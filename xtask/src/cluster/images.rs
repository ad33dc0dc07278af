//! Container images of a real node, made of Debian's packages: no registry is asked.

use crate::steps::{output, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages of the image with the queues' servers and clients.
const QUEUE_PACKAGES: &str = "rabbitmq-server,amqp-tools,redis-server,redis-tools,python3-redis";
/// What stays in a Pod's sandbox until it ends.
const PAUSE: &str = r#"["/bin/sh","-c","trap exit TERM INT; while :; do sleep 3600 & wait; done"]"#;

/// An image: its archive's name, the references by which Pods name it, its command, and what makes its files.
struct Image {
    name: &'static str,
    references: &'static [&'static str],
    command: &'static str,
    files: fn(&Path) -> Result<(), String>,
}

const IMAGES: &[Image] = &[
    Image { name: "pause", references: &["jobpolicy.dev/pause:1"], command: PAUSE, files: shells },
    Image {
        name: "shells",
        references: &["docker.io/library/busybox:1.28", "docker.io/library/bash:5"],
        command: r#"["/bin/bash"]"#,
        files: shells,
    },
    Image {
        name: "queues",
        references: &["jobpolicy.dev/queues:1"],
        command: r#"["/bin/bash"]"#,
        files: queues,
    },
];

/// The images' archives, made when they are missing.
pub(super) fn archives(directory: &Path) -> Result<Vec<PathBuf>, String> {
    fs::create_dir_all(directory).map_err(failed("make", directory))?;
    IMAGES.iter().map(|image| archive(image, directory)).collect()
}

fn archive(image: &Image, directory: &Path) -> Result<PathBuf, String> {
    let archive = directory.join(format!("{}.tar", image.name));
    if archive.exists() {
        return Ok(archive);
    }
    println!("making the image {}", image.name);
    let work = directory.join(format!("{}.work", image.name));
    remove(&work)?;
    let (files, layout) = (work.join("files"), work.join("layout"));
    for directory in [&files, &layout.join("blobs/sha256")] {
        fs::create_dir_all(directory).map_err(failed("make", directory))?;
    }
    (image.files)(&files)?;
    write_layout(image, &files, &layout)?;
    let unfinished = work.join("archive.tar");
    tar(&layout, &unfinished)?;
    fs::rename(&unfinished, &archive).map_err(failed("name", &archive))?;
    remove(&work)?;
    Ok(archive)
}

/// Writes an OCI image layout with one layer.
fn write_layout(image: &Image, files: &Path, layout: &Path) -> Result<(), String> {
    let layer = layout.join("layer.tar");
    tar(files, &layer)?;
    let (layer, layer_size) = blob(layout, &layer)?;
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Env":["{path}"],"Cmd":{}}},"rootfs":{{"type":"layers","diff_ids":["{layer}"]}}}}"#,
        image.command
    );
    let (config, config_size) = text_blob(layout, &config)?;
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":{config_size}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":{layer_size}}}]}}"#
    );
    let (manifest, size) = text_blob(layout, &manifest)?;
    let entries: Vec<String> = image
        .references
        .iter()
        .map(|reference| {
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{manifest}","size":{size},"platform":{{"os":"linux","architecture":"amd64"}},"annotations":{{"io.containerd.image.name":"{reference}"}}}}"#
            )
        })
        .collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    save(&layout.join("index.json"), &index)?;
    save(&layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// Names a file after its digest; gives the digest and the size.
fn blob(layout: &Path, file: &Path) -> Result<(String, u64), String> {
    let mut sum = Command::new("sha256sum");
    sum.arg(file);
    let sum = output(sum)?;
    let digest = sum.split_whitespace().next().ok_or("sha256sum has printed nothing")?.to_owned();
    let size = fs::metadata(file).map_err(failed("read", file))?.len();
    let place = layout.join("blobs/sha256").join(&digest);
    fs::rename(file, &place).map_err(failed("name", &place))?;
    Ok((format!("sha256:{digest}"), size))
}

fn text_blob(layout: &Path, text: &str) -> Result<(String, u64), String> {
    let file = layout.join("text");
    save(&file, text)?;
    blob(layout, &file)
}

/// bash, and busybox under the names of its commands.
fn shells(files: &Path) -> Result<(), String> {
    for directory in ["bin", "etc", "tmp", "root"] {
        let directory = files.join(directory);
        fs::create_dir_all(&directory).map_err(failed("make", &directory))?;
    }
    for (from, to) in [("/bin/busybox", "bin/busybox"), ("/bin/bash-static", "bin/bash")] {
        fs::copy(from, files.join(to)).map_err(failed("copy", Path::new(from)))?;
    }
    let mut list = Command::new("/bin/busybox");
    list.arg("--list");
    for command in output(list)?.lines().filter(|command| !["busybox", "bash"].contains(command)) {
        let link = files.join("bin").join(command);
        std::os::unix::fs::symlink("busybox", &link).map_err(failed("make", &link))?;
    }
    Ok(())
}

/// A small Debian with RabbitMQ, Redis, and what speaks to them.
fn queues(files: &Path) -> Result<(), String> {
    let mut bootstrap = Command::new("debootstrap");
    bootstrap.args(["--variant=minbase", &format!("--include={QUEUE_PACKAGES}"), "bookworm"]).arg(files);
    output(bootstrap)?;
    for left in ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man"] {
        remove(&files.join(left))?;
    }
    // Guests are let in from localhost alone, where the workers are not.
    save(&files.join("etc/rabbitmq/rabbitmq.conf"), "loopback_users = none\n")
}

fn tar(directory: &Path, archive: &Path) -> Result<(), String> {
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--file").arg(archive).arg("--directory").arg(directory).arg(".");
    run(tar)
}

pub(super) fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn save(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(failed("write", path))
}

pub(super) fn failed(what: &str, path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("cannot {what} {}: {error}", path.display())
}
