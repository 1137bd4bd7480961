"""`python -m counterstream` is `counterstream`."""

from .cli import main

if __name__ == "__main__":
    main()
