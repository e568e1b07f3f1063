//! A server on the loopback that speaks the hub's protocol for one file, and misbehaves on request.
//!
//! Plain sockets: a server library would not break off in the middle of a body.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How the server answers. The defaults are those of a good hub with a large file.
#[derive(Clone)]
pub struct Behaviour {
    pub body: Vec<u8>,
    /// `X-Repo-Commit`.
    pub commit: String,
    /// `X-Linked-Etag`; `None` as for small files, which have an `ETag` only.
    pub linked_etag: Option<String>,
    pub etag: String,
    /// `X-Linked-Size`, if it shall lie.
    pub linked_size: Option<u64>,
    /// Whether it does parts of files.
    pub ranges: bool,
    /// For the next GETs: break off after so many bytes of the body.
    pub cuts: VecDeque<usize>,
    /// For the next requests: a status and an `X-Error-Code`.
    pub failures: VecDeque<(u16, &'static str)>,
    /// Send there, with the path as it is.
    pub redirect: Option<String>,
    /// Send the body byte by byte, with so long between.
    pub trickle: Option<Duration>,
}

impl Behaviour {
    /// A large file with its right hash.
    pub fn large(body: Vec<u8>) -> Self {
        Behaviour {
            linked_etag: Some(files::sha256_bytes(&body)),
            commit: COMMIT.to_owned(),
            etag: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            linked_size: None,
            ranges: true,
            cuts: VecDeque::new(),
            failures: VecDeque::new(),
            redirect: None,
            trickle: None,
            body,
        }
    }

    /// A file whose hash the hub does not state.
    pub fn small(body: Vec<u8>) -> Self {
        Behaviour {
            linked_etag: None,
            ..Behaviour::large(body)
        }
    }
}

pub const COMMIT: &str = "b3708341862f581175dba5c356a4ebf74a9b6651";

/// A request that came, and what went back.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub from: Option<usize>,
    pub authorization: Option<String>,
    pub sent: usize,
}

pub struct HubServer {
    pub url: String,
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Seen>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    thread: Option<JoinHandle<()>>,
}

impl HubServer {
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let behaviour = Arc::new(Mutex::new(behaviour));
        let thread = {
            let (stop, seen, behaviour) = (stop.clone(), seen.clone(), behaviour.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let (seen, behaviour) = (seen.clone(), behaviour.clone());
                    std::thread::spawn(move || answer(&stream.unwrap(), &seen, &behaviour));
                }
            })
        };
        HubServer {
            url,
            stop,
            seen,
            behaviour,
            thread: Some(thread),
        }
    }

    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().unwrap());
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn gets(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|s| s.method == "GET");
        seen
    }
}

impl Drop for HubServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let address = self.url.trim_start_matches("http://");
        // Wakes the listener up.
        let _ = TcpStream::connect(address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// One request a connection. A client that goes away is none of the server's business.
fn answer(stream: &TcpStream, seen: &Mutex<Vec<Seen>>, behaviour: &Mutex<Behaviour>) {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let Some(mut request) = read_request(stream) else {
        return;
    };
    let (failure, cut, now) = {
        let mut b = behaviour.lock().unwrap();
        let failure = b.failures.pop_front();
        let serves = failure.is_none() && request.method == "GET" && b.redirect.is_none();
        let cut = if serves { b.cuts.pop_front() } else { None };
        (failure, cut, b.clone())
    };
    let mut head = String::new();
    let mut body: &[u8] = &[];
    if let Some((status, code)) = failure {
        head +=
            &format!("HTTP/1.1 {status} Status\r\nX-Error-Code: {code}\r\nContent-Length: 0\r\n");
    } else if let Some(to) = &now.redirect {
        head += &format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}{}\r\nContent-Length: 0\r\n",
            request.path
        );
        head += &hub_headers(&now);
    } else {
        let total = now.body.len();
        match request.from.filter(|_| now.ranges) {
            Some(from) if from >= total => {
                head += "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n";
            }
            Some(from) => {
                body = &now.body[from..];
                head += &format!(
                    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{total}\r\nContent-Length: {}\r\n",
                    total - 1,
                    body.len()
                );
            }
            None => {
                body = &now.body;
                head += &format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n");
            }
        }
        head += &hub_headers(&now);
    }
    head += "Connection: close\r\n\r\n";
    if request.method == "HEAD" {
        body = &[];
    }
    let body = &body[..cut.unwrap_or(body.len()).min(body.len())];
    request.sent = body.len();
    // Noted before it is sent: the client may look as soon as it has the answer.
    seen.lock().unwrap().push(request);
    let mut out = stream;
    let _ = out
        .write_all(head.as_bytes())
        .and_then(|()| match now.trickle {
            None => out.write_all(body),
            Some(pause) => body.chunks(1).try_for_each(|byte| {
                std::thread::sleep(pause);
                out.write_all(byte)
            }),
        });
    let _ = stream.shutdown(Shutdown::Write);
    // Until the client has closed too: closing with unread bytes would reset the line and lose what was sent.
    let _ = std::io::copy(&mut out, &mut std::io::sink());
}

fn hub_headers(now: &Behaviour) -> String {
    let mut head = format!(
        "X-Repo-Commit: {}\r\nETag: \"{}\"\r\n",
        now.commit, now.etag
    );
    if let Some(etag) = &now.linked_etag {
        let size = now.linked_size.unwrap_or(now.body.len() as u64);
        head += &format!("X-Linked-Etag: \"{etag}\"\r\nX-Linked-Size: {size}\r\n");
    }
    head
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let mut request = Seen {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        from: None,
        authorization: None,
        sent: 0,
    };
    loop {
        let line = lines.next()?.ok()?;
        let Some((name, value)) = line.split_once(':') else {
            return Some(request);
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let from = value.strip_prefix("bytes=")?.strip_suffix('-')?;
                request.from = Some(from.parse().ok()?);
            }
            "authorization" => request.authorization = Some(value.to_owned()),
            _ => {}
        }
    }
}
