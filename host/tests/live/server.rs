//! An API server that answers each path with what a test said.

use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// An answer to a request.
#[derive(Clone)]
pub(crate) struct Answer {
    code: u16,
    body: String,
}

impl Answer {
    pub(crate) fn json(code: u16, body: &Value) -> Self {
        Answer { code, body: body.to_string() }
    }

    pub(crate) fn text(code: u16, body: &str) -> Self {
        Answer { code, body: body.into() }
    }
}

#[derive(Default)]
struct Answers {
    /// For each path the answers in order; the last one stays.
    paths: HashMap<String, Vec<Answer>>,
    /// Watches that are answered and end; those after them are silent.
    watches: HashMap<String, Vec<Answer>>,
}

impl Answers {
    fn to(&mut self, path: &str, watch: bool) -> Option<Answer> {
        if watch {
            return self.watches.get_mut(path).filter(|left| !left.is_empty()).map(|left| left.remove(0));
        }
        let not_found = r#"{"kind":"Status","code":404,"reason":"NotFound","message":"not found"}"#;
        match self.paths.get_mut(path) {
            Some(left) if left.len() > 1 => Some(left.remove(0)),
            Some(left) => left.first().cloned(),
            None => Some(Answer::text(404, not_found)),
        }
    }
}

/// The server; it ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    answers: Arc<Mutex<Answers>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (answers, ended) = (Arc::new(Mutex::new(Answers::default())), Arc::new(AtomicBool::new(false)));
        let (told, over) = (answers.clone(), ended.clone());
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                let (told, over) = (told.clone(), over.clone());
                thread::spawn(move || serve(stream.unwrap(), &told, &over));
            }
        });
        Server { address, answers, ended, thread: Some(thread) }
    }

    /// Answers a path, whatever its query, with this from now on.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().paths.insert(path.into(), vec![answer]);
    }

    /// Answers a path with this after what it is answered with now was sent once.
    pub(crate) fn answer_later(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().paths.entry(path.into()).or_default().push(answer);
    }

    /// Answers one watch after the other with these lines.
    pub(crate) fn watch(&self, path: &str, lines: &[&str]) {
        let answers = lines.iter().map(|lines| Answer::text(200, lines)).collect();
        self.answers.lock().unwrap().watches.insert(path.into(), answers);
    }

    pub(crate) fn answer_watch_with(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().watches.insert(path.into(), vec![answer]);
    }

    /// A kubeconfig whose context has the namespace `shop`.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let file =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.kubeconfig", self.address.port()));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\n\
             users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: shop}}}}]\n",
            self.address
        );
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the thread up.
        drop(TcpStream::connect(self.address));
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// Answers one request; a client that goes away is no concern of the server's.
fn serve(mut stream: TcpStream, answers: &Mutex<Answers>, ended: &AtomicBool) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let watch = query.contains("watch=1");
    let answer = answers.lock().unwrap().to(path, watch);
    let silent = answer.is_none();
    let Answer { code, body } = answer.unwrap_or_else(|| Answer::text(200, ""));
    let head =
        format!("HTTP/1.1 {code} Answer\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    while silent && !ended.load(Ordering::Acquire) {
        thread::sleep(Duration::from_millis(20));
    }
}
