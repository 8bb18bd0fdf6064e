//! Engines close connections that could serve on: in order, without a word, or when the next request has come already.

use accelbench_core::validity::Outcome;
use accelbench_core::workload::Lengths;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::scene::{OUTPUT_TOKENS, check, plan_at, play_one};

/// When a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// After each answer, without a word about it.
    AfterAnAnswer,
    /// When the second request has been read, which is never answered.
    InsteadOfAnAnswer,
}

async fn engine(closing: Closing) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, closing));
        }
    });
    url
}

/// Serves a connection until it is to be closed; `None` when the client was faster.
async fn serve(stream: TcpStream, closing: Closing) -> Option<()> {
    let mut stream = BufStream::new(stream);
    let (path, _) = request(&mut stream).await?;
    if path != "/v1/completions" {
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.ok()?;
        return stream.flush().await.ok();
    }
    stream.write_all(&answer()).await.ok()?;
    stream.flush().await.ok()?;
    if closing == Closing::InsteadOfAnAnswer {
        request(&mut stream).await?;
    }
    Some(())
}

async fn request(stream: &mut BufStream<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((lines.first()?.split(' ').nth(1)?.to_owned(), body))
}

fn answer() -> Vec<u8> {
    let token = json!({"choices": [{"text": "a", "finish_reason": null}]});
    let end = json!({"choices": [{"text": "", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 16, "completion_tokens": OUTPUT_TOKENS}});
    let events = (0..OUTPUT_TOKENS).map(|_| token.to_string()).chain([end.to_string(), "[DONE]".to_owned()]);
    let mut answer =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for event in events {
        let data = format!("data: {event}\n\n");
        answer.extend(format!("{:x}\r\n{data}\r\n", data.len()).bytes());
    }
    answer.extend(b"0\r\n\r\n");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_went_stale_is_no_failure_of_the_engine() {
    for closing in [Closing::AfterAnAnswer, Closing::InsteadOfAnAnswer] {
        let mut plan = plan_at(engine(closing).await, &[4]);
        plan.workload.lengths = Lengths::AsInDataset { output_tokens: OUTPUT_TOKENS };
        let report = play_one(plan).await;
        assert_eq!(report.failed(), 0, "{closing:?}: {:?}", report.requests_failed);
        assert!(report.requests_completed >= 40, "{closing:?}");
        // A second request that is never answered is always one that was sent again, and that is told.
        if closing == Closing::InsteadOfAnAnswer {
            let kept = check(&report, "connections_kept");
            assert!(kept.outcome == Outcome::Warn && kept.observed > 0.3, "{kept:?}");
        }
    }
}
