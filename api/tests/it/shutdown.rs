//! The end of the server.

use std::time::Duration;

use accelbench_api::serve;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::harness::TestApp;

#[tokio::test]
async fn an_open_stream_does_not_keep_the_server_from_ending() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(app.app.clone(), listener, async move {
        let _ = stopped.await;
    }));

    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/v1/runs/{run_id}/events HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    client.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");

    stop.send(()).unwrap();
    let ended = timeout(Duration::from_secs(5), server).await.expect("the stream is ended by the server");
    ended.unwrap().unwrap();
}
