//! What extractors add to the description of an operation.

use accelbench_core::run::RunId;
use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{
    HeaderStyle, MediaType, Operation, Parameter, ParameterData, ParameterSchemaOrContent, PathStyle,
    RequestBody, SchemaObject,
};
use aide::operation::{ParamLocation, add_parameters, parameters_from_schema, set_body};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema};

use crate::address::{InAddress, Named};
use crate::body::{JsonBody, Parameters, PathRun, RawBody};
use crate::rest::events::LastEventId;
use crate::rest::models::HubToken;
use crate::rest::runs::IdempotencyKey;

impl<T: JsonSchema> OperationInput for JsonBody<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<T>();
        set_body(context, operation, body("application/json", Some(schema)));
    }
}

impl OperationInput for RawBody {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        set_body(context, operation, body("application/octet-stream", None));
    }
}

impl<T: JsonSchema> OperationInput for Parameters<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<T>();
        let parameters = parameters_from_schema(context, schema, ParamLocation::Query);
        add_parameters(context, operation, parameters);
    }
}

impl OperationInput for PathRun {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let data = data("run_id", true, None, context.schema.subschema_for::<RunId>());
        add_parameters(
            context,
            operation,
            [Parameter::Path { parameter_data: data, style: PathStyle::Simple }],
        );
    }
}

impl<T: Named + JsonSchema> OperationInput for InAddress<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let data = data(T::PART, true, None, context.schema.subschema_for::<T>());
        add_parameters(
            context,
            operation,
            [Parameter::Path { parameter_data: data, style: PathStyle::Simple }],
        );
    }
}

impl OperationInput for IdempotencyKey {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let about = "1 to 200 visible characters, new for each new request: sent again, they give the run that they gave";
        let mut schema = schemars::json_schema!({"type": "string", "minLength": 1, "maxLength": 200});
        schema.insert("pattern".to_owned(), "^[!-~]+$".into());
        header(context, operation, "Idempotency-Key", about, schema);
    }
}

impl OperationInput for LastEventId {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let about = "The id of the last event that was seen: a stream goes on after it";
        header(context, operation, "Last-Event-ID", about, schemars::json_schema!({"type": "string"}));
    }
}

impl OperationInput for HubToken {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let about = "A Hugging Face token, for a model that is not open to all; used once and not kept";
        header(context, operation, "X-HF-Token", about, schemars::json_schema!({"type": "string"}));
    }
}

fn header(
    context: &mut GenContext,
    operation: &mut Operation,
    name: &str,
    description: &str,
    schema: Schema,
) {
    let data = data(name, false, Some(description), schema);
    add_parameters(
        context,
        operation,
        [Parameter::Header { parameter_data: data, style: HeaderStyle::Simple }],
    );
}

fn data(name: &str, required: bool, description: Option<&str>, schema: Schema) -> ParameterData {
    ParameterData {
        name: name.to_owned(),
        description: description.map(str::to_owned),
        required,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(object(schema)),
        example: None,
        examples: IndexMap::default(),
        explode: None,
        extensions: IndexMap::default(),
    }
}

fn body(kind: &str, schema: Option<Schema>) -> RequestBody {
    let media = MediaType { schema: schema.map(object), ..MediaType::default() };
    RequestBody {
        required: true,
        content: IndexMap::from_iter([(kind.to_owned(), media)]),
        ..RequestBody::default()
    }
}

pub(super) fn object(json_schema: Schema) -> SchemaObject {
    SchemaObject { json_schema, external_docs: None, example: None }
}
