def greet(name, language):
    return f"Hello, {name}, from {language}!"
