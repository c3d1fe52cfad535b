# Everything a person does with this project. `make help` lists it.

PY := .venv/bin/python
CODE := shared services examples deploy tests
SERVICES := INTAKE DISPATCHER TRACKER FEEDBACK
SIGN := from pathlib import Path; from shared.auth import issue, make_key; \
	folder = Path("var/compose/signing"); make_key(folder, "first"); \
	print(issue(folder, "service", "feedback", days=3650))
LOCKING := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help run demo test prove lint fmt contracts token dead replay lock up down
.PHONY: upgrade backup restore story kills rolling drill

help: ## 列出命令 list the commands
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

run: .venv/ready ## 全部服务，内嵌 PostgreSQL  all services in one process, embedded PostgreSQL
	$(PY) -m services

demo: .venv/ready ## 四个故事与一个月 four stories and a month, told by small real clients
	$(PY) -m examples.demo

test: .venv/ready ## 全部测试 every tier of tests (ARGS="-m unit -k name")
	$(PY) -m pytest $(ARGS)

prove: .venv/ready ## 长时间证明 every property with ten thousand examples
	HYPOTHESIS_PROFILE=prove $(PY) -m pytest -m unit $(ARGS)

lint: .venv/ready ## 检查 ruff, mypy, import contracts
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/mypy $(CODE)
	.venv/bin/lint-imports

fmt: .venv/ready ## 整理格式 format the code
	.venv/bin/ruff check --fix $(CODE)
	.venv/bin/ruff format $(CODE)

contracts: .venv/ready ## 生成契约 write docs/: schemas, asyncapi, openapi, events.md
	$(PY) -m services contracts

token: .venv/ready ## 签发令牌 sign a token (ARGS="--role unit --unit HC")
	$(PY) -m services token $(ARGS)

dead: .venv/ready ## 列出失败的事实 list the facts that failed for good
	$(PY) -m services dead $(ARGS)

replay: .venv/ready ## 重放失败的事实 hand them to their service again
	$(PY) -m services replay $(ARGS)

up: .env ## 容器部署 Docker Compose: postgres, rabbitmq, one container per service
	docker compose up --build --detach --wait

down: ## 停止容器 stop Docker Compose; the data stay
	docker compose down

upgrade: .env ## 滚动升级 replace running containers by this version (ARGS="intake")
	$(PY) -m deploy.upgrade $(ARGS)

backup: .env ## 备份 all databases as of one moment, and the broker's users (ARGS=folder)
	$(PY) -m deploy.backup $(ARGS)

restore: .env ## 恢复 a backup into empty volumes (ARGS=folder)
	$(PY) -m deploy.restore $(ARGS)

story: .env ## 容器中的四个故事 the four stories on containers of their own
	$(PY) -m deploy.story

kills: .env ## 逐个杀死容器 two replicas of each, every container killed in turn
	$(PY) -m deploy.kills

rolling: .env ## 演练滚动升级 a rolling upgrade under load, counted
	$(PY) -m deploy.rolling $(ARGS)

drill: .env ## 演练备份恢复 lose the disks, restore, count what is lost
	$(PY) -m deploy.drill

lock: .venv/ready ## 重新锁定依赖 resolve the dependencies again (ARGS=--upgrade)
	$(LOCKING) $(ARGS) --extra embedded --group dev pyproject.toml --output-file requirements.lock
	$(LOCKING) $(ARGS) --constraints requirements.lock pyproject.toml \
		--output-file requirements-image.lock

.venv/ready: requirements.lock setup.sh
	@PYTHON='$(PYTHON)' ./setup.sh

# Secrets of this deployment, made once. Services see public keys; the key that signs tokens stays
# in var/compose/signing: make token ARGS="--keys var/compose/signing --role supervisor"
.env: | .venv/ready
	@umask 077; set -eu; \
	token=$$($(PY) -c '$(SIGN)'); \
	key() { head -c 32 /dev/urandom | base64; }; \
	{ for name in POSTGRES_PASSWORD RABBITMQ_PASSWORD MIGRATE_BROKER_PASSWORD \
		CONSOLE_DATABASE_PASSWORD $(SERVICES:=_DATABASE_PASSWORD) $(SERVICES:=_BROKER_PASSWORD); do \
		echo "$$name=$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; done; \
	for name in WEBHOOK_SECRET $(SERVICES:=_INDEX_KEY); do echo "$$name=$$(key)"; done; \
	echo "VAULT_CURRENT=first"; \
	echo "VAULT_KEYS='{\"first\":\"$$(key)\"}'"; \
	echo "SERVICE_TOKEN=$$token"; } > .env.new
	@install -d -m 755 var/compose/keys
	@install -m 644 var/compose/signing/*.pub.pem var/compose/keys/
	@mv .env.new .env
	@echo '已生成密钥 secrets written: .env and var/compose (keep both, and keep them private)'
