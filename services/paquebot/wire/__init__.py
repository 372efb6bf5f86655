"""Values to protobuf and back. Nothing else knows the generated code."""
