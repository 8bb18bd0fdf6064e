//! The timeline of a run: as a list, or as server-sent events that go on until the run is finished. The id of an event is
//! its number, so that a client that lost its connection misses nothing.

use std::convert::Infallible;
use std::time::Duration;

use accelbench_core::run::{Run, RunEvent, RunId};
use accelbench_store::notifications::changed;
use accelbench_store::{Error, events, runs};
use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::body::PathRun;
use crate::error::ApiError;
use crate::openapi::about;
use crate::pages;

/// Most events of one list; a run has some dozens.
const MOST: i64 = 10_000;

/// How often a stream looks by itself, should a notification be lost.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EventList {
    events: Vec<RunEvent>,
}

/// The number of the last event that a client saw; 0 where it says none, or none of ours.
pub(crate) struct LastEventId(i64);

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let value = parts.headers.get("last-event-id");
        Ok(Self(value.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)))
    }
}

pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    LastEventId(last): LastEventId,
    PathRun(run_id): PathRun,
) -> Result<Response, ApiError> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    runs::find(&mut *app.connection().await?, run_id).await?;
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Ok(stream_of(app, run_id, last, Shown::Json));
    }
    let events = events::list_after(&mut *app.connection().await?, run_id, 0, MOST).await?;
    Ok(Json(EventList { events }).into_response())
}

/// What a stream sends whenever its run changes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    /// The news, for programs.
    Json,
    /// The live part of the run's page.
    Page,
}

async fn shown(app: &App, shown: Shown, run: &Run, news: &[RunEvent]) -> Vec<Event> {
    match shown {
        Shown::Json => json_events(run, news),
        Shown::Page => pages::run::render(app, run.id).await.into_iter().collect(),
    }
}

fn json_events(run: &Run, news: &[RunEvent]) -> Vec<Event> {
    let mut shown: Vec<Event> =
        news.iter().map(|news| json_event("event", news).id(news.sequence.to_string())).collect();
    shown.extend(run.progress.as_ref().map(|progress| json_event("progress", progress)));
    shown
}

/// Our own types cannot fail to be written as JSON.
fn json_event(name: &str, value: &impl Serialize) -> Event {
    Event::default().event(name).data(serde_json::to_string(value).unwrap_or_default())
}

/// A stream of a run's changes that ends with `done` when the run is finished.
/// `render` says what is sent whenever something changed.
pub(crate) fn stream_of(app: App, run_id: RunId, after: i64, render: Shown) -> Response {
    let (sender, receiver) = mpsc::channel::<Result<Event, Infallible>>(64);
    tokio::spawn(async move {
        tokio::select! {
            followed = follow(&app, run_id, after, render, &sender) => {
                if let Err(error) = followed {
                    tracing::warn!(run.id = %run_id, error = %error, "a stream of events broke off");
                }
            }
            () = app.stopped() => {}
            () = sender.closed() => {}
        }
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(ReceiverStream::new(receiver)).keep_alive(keep_alive).into_response()
}

async fn follow(
    app: &App,
    run_id: RunId,
    mut after: i64,
    render: Shown,
    sender: &mpsc::Sender<Result<Event, Infallible>>,
) -> Result<(), Error> {
    let mut changes = app.notifications().subscribe();
    loop {
        let mut connection = app.pool().acquire().await?;
        // The run is read first: when it is finished, its events are complete.
        let run = runs::find(&mut connection, run_id).await?;
        let news = events::list_after(&mut connection, run_id, after, MOST).await?;
        drop(connection);
        after = news.last().map_or(after, |event| event.sequence);
        for event in shown(app, render, &run, &news).await {
            if sender.send(Ok(event)).await.is_err() {
                return Ok(());
            }
        }
        if run.phase.is_finished() {
            // A client that has gone does not need to know that it is over.
            let _ = sender.send(Ok(Event::default().event("done").data("finished"))).await;
            return Ok(());
        }
        // A notification that was lost costs one interval.
        let _ = tokio::time::timeout(LOOK_INTERVAL, changed(&mut changes, run_id)).await;
    }
}

/// The list, and the stream.
pub(crate) fn described(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let about = about("runs", "listRunEvents", "The timeline of a run, as a list or as server-sent events");
    operation
        .with(about)
        .description(
            "With `Accept: text/event-stream`: an `event` for each entry, whose id is its number, `progress` while load \
             points are measured, and `done` at the end. Give the last id as `Last-Event-ID` to go on after it.",
        )
        .response_with::<200, Json<EventList>, _>(|response| response.description("The timeline so far."))
}
