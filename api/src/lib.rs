//! accelbench-api
