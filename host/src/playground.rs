//! The page, served from this program: what `cargo xtask playground` has built goes into it with the feature `playground`.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::net::TcpListener;

include!(concat!(env!("OUT_DIR"), "/playground_files.rs"));

/// What the page may do: its own files and WebAssembly, nothing inline, nothing of others. Pages of other origins may not
/// frame it; the element for documentation loads it from its own place.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'self'";

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path, without a slash before it.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// The files of the page; none when this program was built without it.
pub fn files() -> &'static [File] {
    FILES
}

/// Serves files, for as long as the process runs.
pub async fn serve(listener: TcpListener, files: &'static [File]) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Too many open files, most likely: that passes.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(files, request.method(), request.uri().path(), request.headers());
                async move { Ok::<_, Infallible>(response) }
            });
            // A browser that goes away in the middle is nobody's fault.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The answer to a request. Paths are looked up among the files as they are written: nothing else can be reached.
pub fn answer(files: &[File], method: &Method, path: &str, headers: &HeaderMap) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let wanted = match path.strip_prefix('/').unwrap_or(path) {
        "" => "index.html",
        path => path,
    };
    let Some(file) = files.iter().find(|file| file.path == wanted) else {
        return plain(StatusCode::NOT_FOUND, "there is no such file\n");
    };
    let tag = tag(file.bytes);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
    let same = known
        .flat_map(|known| known.split(','))
        .any(|known| matches!(known.trim(), "*") || known.trim() == tag);
    let mut response = match (same, method == Method::HEAD) {
        (true, _) => Response::new(Full::default()),
        (false, true) => Response::new(Full::default()),
        (false, false) => Response::new(Full::new(Bytes::from_static(file.bytes))),
    };
    if same {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(file.path)));
    if !same {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes.len()));
    }
    // The names of assets change with what is in them.
    let caching =
        if wanted.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    secured(response)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    secured(response)
}

fn secured(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// The type of a file, by the end of its name.
fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "yaml" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[File] = &[
        File { path: "index.html", bytes: b"<!doctype html>" },
        File { path: "assets/core-1a2b.wasm", bytes: b"\0asm" },
    ];

    fn get(path: &str, headers: &HeaderMap) -> Response<Full<Bytes>> {
        answer(PAGE, &Method::GET, path, headers)
    }

    #[test]
    fn files_have_their_types_and_may_do_little() {
        let none = HeaderMap::new();
        let page = get("/", &none);
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        assert!(
            page.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        let module = get("/assets/core-1a2b.wasm", &none);
        assert_eq!(module.headers()[header::CONTENT_TYPE], "application/wasm");
        assert!(module.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let tag = get("/", &HeaderMap::new()).headers()[header::ETAG].clone();
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        assert_eq!(get("/", &known).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get("/assets/core-1a2b.wasm", &known).status(), StatusCode::OK);
    }

    #[test]
    fn nothing_else_can_be_reached() {
        for path in
            ["/nope", "/../Cargo.toml", "/assets/../index.html", "//index.html", "/%2e%2e/x", "/assets/"]
        {
            assert_eq!(get(path, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{path}");
        }
        let posted = answer(PAGE, &Method::POST, "/", &HeaderMap::new());
        assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
        let head = answer(PAGE, &Method::HEAD, "/", &HeaderMap::new());
        assert_eq!(head.headers()[header::CONTENT_LENGTH], "15");
    }
}
