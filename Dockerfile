# One image for every service: its name is the command, as in `docker run jiesu intake`.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

# Chinese letters for proof packs on paper.
RUN apt-get update -qq && apt-get install -qq --yes --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-image.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-image.lock \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin jiesu
COPY shared ./shared
COPY services ./services
COPY operations ./operations
RUN python -m compileall -q shared services operations

# The county's configuration is mounted at /config, never baked in: `make up` looks for this label.
LABEL jiesu.configuration="mounted"
USER jiesu
ENTRYPOINT ["python", "-m", "services"]
