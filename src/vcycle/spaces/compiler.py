"""The C++ compiler that machine code for a processor is made with."""

from importlib import import_module


def require_compiler(use: str, instead: str) -> None:
    """Raises ValueError where torch finds no C++ compiler: what it is for, and what to do without one."""
    builder, complaints = (import_module(f"torch._inductor.{name}") for name in ("cpp_builder", "exc"))
    try:
        builder.get_cpp_compiler()
    except complaints.InvalidCxxCompiler as error:
        raise ValueError(
            f"{use} needs a C++ compiler and none was found: install g++, name another one in the variable CXX, or "
            f"{instead}"
        ) from error
