//! HTTP to `kubectl proxy` and to the controller's port: plain, one connection for each call.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Calls one port of this machine.
pub(crate) struct Client {
    port: u16,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code; 0 when there was no answer.
    pub code: u16,
    /// The body, or why there is none.
    pub body: String,
    call: String,
}

impl Answer {
    /// The body of a call that must have gone well.
    ///
    /// # Panics
    /// When it has not.
    #[must_use]
    pub fn expect_text(self) -> String {
        self.text().unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// The object of a call that must have gone well.
    ///
    /// # Panics
    /// When it has not.
    pub fn value(self) -> Value {
        serde_json::from_str(&self.expect_text()).unwrap()
    }

    /// The body if the call went well.
    ///
    /// # Errors
    /// The call and its answer otherwise.
    pub fn text(self) -> Result<String, String> {
        let Answer { code, body, call } = self;
        if (200..300).contains(&code) { Ok(body) } else { Err(format!("{call}: {code} {body}")) }
    }
}

impl Client {
    pub(crate) fn new(port: u16) -> Self {
        Client { port }
    }

    /// A call.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let call = format!("{method} {path}");
        match self.exchange(method, path, body) {
            Ok((code, body)) => Answer { code, body, call },
            Err(error) => Answer { code: 0, body: error.to_string(), call },
        }
    }

    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let content = if method == "PATCH" { "strategic-merge-patch+json" } else { "json" };
        // HTTP/1.0: the answer is not chunked and ends with the connection.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\
             Content-Type: application/{content}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let code = text.split_whitespace().nth(1).and_then(|code| code.parse().ok());
        match (code, text.split_once("\r\n\r\n")) {
            (Some(code), Some((_, body))) => Ok((code, body.to_owned())),
            _ => Err(std::io::Error::other("no HTTP answer")),
        }
    }
}
