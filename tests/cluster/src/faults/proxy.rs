//! An HTTP proxy that refuses calls, loses answers, cuts watches and is slow, as often as it is told.

use crate::random::Random;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How often what goes wrong; probabilities for each call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Odds {
    /// A call is refused with 409 (if it writes), 429, 500 or 503, and not made.
    pub refused: f64,
    /// The connection closes before a call is made.
    pub dropped: f64,
    /// A writing call is made and its answer never comes: the connection closes.
    pub answer_lost: f64,
    /// A writing call is made and its answer does not come within the controller's patience.
    pub answer_late: f64,
    /// A watch is cut within three seconds, perhaps in the middle of a line.
    pub watch_cut: f64,
    /// A call is held up for up to this long.
    pub slow: (f64, Duration),
}

/// How long an answer is kept back that comes too late: longer than the controller waits.
const TOO_LATE: Duration = Duration::from_secs(62);

struct Shared {
    upstream: u16,
    odds: Mutex<Odds>,
    random: Mutex<Random>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    ended: AtomicBool,
}

/// A running proxy; it ends when it goes away.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Made,
    Refused(u16),
    Dropped,
    AnswerLost,
    AnswerLate,
    Cut(Duration),
}

impl Proxy {
    /// A proxy to a port of this machine.
    pub(crate) fn start(upstream: u16, random: Random, odds: Odds) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (odds, random, counts) = (Mutex::new(odds), Mutex::new(random), Mutex::default());
        let shared = Arc::new(Shared { upstream, odds, random, counts, ended: AtomicBool::new(false) });
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = accepting.clone();
                // A connection that breaks off is a fault like any other.
                thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Proxy { port, shared }
    }

    /// A kubeconfig whose API server is the proxy.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        let file = crate::controller::log_dir().join(format!("proxy-{}.kubeconfig", self.port));
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: test\n  cluster: {{server: \"http://127.0.0.1:{}\"}}\n\
             users:\n- name: user\n  user: {{}}\ncontexts:\n- name: test\n  context: {{cluster: test, user: user}}\n\
             current-context: test\n",
            self.port
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    /// From now on everything goes well.
    ///
    /// # Panics
    /// When a thread of the proxy has.
    pub fn calm(&self) {
        *self.shared.odds.lock().unwrap() = Odds::default();
    }

    /// How often what went wrong.
    ///
    /// # Panics
    /// When a thread of the proxy has.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.shared.counts.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    /// One call: the connection closes after it.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let Some((head, body)) = read_request(&mut client)? else { return Ok(()) };
        let first = head.lines().next().unwrap_or_default().to_owned();
        let (fate, pause) = self.decide(&first);
        thread::sleep(pause);
        match fate {
            Fate::Dropped => client.shutdown(Shutdown::Both),
            Fate::Refused(code) => client.write_all(refusal(code).as_bytes()),
            Fate::Made => self.forward(&head, &body, client, None),
            Fate::Cut(after) => self.forward(&head, &body, client, Some(after)),
            Fate::AnswerLost | Fate::AnswerLate => {
                let mut answer = Vec::new();
                self.call(&head, &body)?.read_to_end(&mut answer)?;
                if fate == Fate::AnswerLate {
                    thread::sleep(TOO_LATE);
                }
                client.shutdown(Shutdown::Both)
            }
        }
    }

    fn decide(&self, first: &str) -> (Fate, Duration) {
        let odds = *self.odds.lock().unwrap();
        let mut random = self.random.lock().unwrap();
        let (is_watch, writes) = (first.contains("watch=1"), !first.starts_with("GET "));
        let pause = match random.happens(odds.slow.0) {
            true => random.between(Duration::ZERO, odds.slow.1),
            false => Duration::ZERO,
        };
        let (name, fate) = if random.happens(odds.refused) {
            let codes = if writes { &[409, 429, 500, 503][..] } else { &[429, 500, 503] };
            ("calls refused", Fate::Refused(codes[random.below(codes.len() as u64) as usize]))
        } else if random.happens(odds.dropped) {
            ("calls dropped", Fate::Dropped)
        } else if writes && random.happens(odds.answer_lost) {
            ("answers lost", Fate::AnswerLost)
        } else if writes && random.happens(odds.answer_late) {
            ("answers late", Fate::AnswerLate)
        } else if is_watch && random.happens(odds.watch_cut) {
            ("watches cut", Fate::Cut(random.between(Duration::from_millis(50), Duration::from_secs(3))))
        } else {
            ("calls made", Fate::Made)
        };
        let mut counts = self.counts.lock().unwrap();
        *counts.entry(name).or_default() += 1;
        if pause > Duration::ZERO {
            *counts.entry("calls slow").or_default() += 1;
        }
        (fate, pause)
    }

    /// Makes a call; its answer ends with the connection.
    fn call(&self, head: &str, body: &[u8]) -> io::Result<TcpStream> {
        let mut upstream = TcpStream::connect(("127.0.0.1", self.upstream))?;
        let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let head: String = lines.map(|line| format!("{line}\r\n")).collect();
        upstream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
        upstream.write_all(body)?;
        Ok(upstream)
    }

    fn forward(
        &self,
        head: &str,
        body: &[u8],
        mut client: TcpStream,
        cut_after: Option<Duration>,
    ) -> io::Result<()> {
        let mut upstream = self.call(head, body)?;
        let end = cut_after.map(|after| Instant::now() + after);
        let mut buffer = [0; 1 << 14];
        loop {
            if let Some(end) = end {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() || self.ended.load(Ordering::Relaxed) {
                    return client.shutdown(Shutdown::Both);
                }
                upstream.set_read_timeout(Some(left))?;
            }
            match upstream.read(&mut buffer) {
                Ok(0) => return client.shutdown(Shutdown::Both),
                Ok(length) => client.write_all(&buffer[..length])?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Head without the empty line, and body.
fn read_request(client: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1 << 14];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            let mut body = bytes.split_off(end + 4);
            while body.len() < length.unwrap_or(0) {
                match client.read(&mut buffer)? {
                    0 => return Ok(None),
                    read => body.extend_from_slice(&buffer[..read]),
                }
            }
            return Ok(Some((head, body)));
        }
        match client.read(&mut buffer)? {
            0 => return Ok(None),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

/// An answer as the API server gives it.
fn refusal(code: u16) -> String {
    let (reason, header) = match code {
        409 => ("Conflict", ""),
        429 => ("TooManyRequests", "Retry-After: 1\r\n"),
        503 => ("ServiceUnavailable", ""),
        _ => ("InternalError", ""),
    };
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"refused by the test","reason":"{reason}","code":{code}}}"#
    );
    format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
