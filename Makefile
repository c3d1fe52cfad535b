# Everything a person does with this project. `make help` lists it.

PY := .venv/bin/python
CODE := shared services operations examples tests
# The containers when there are any, also dead ones; else the embedded data.
OPERATE = $(PY) -m operations.containers.operate
# A load tester is a phone system: its token, or one of the embedded system's for a day.
SIGNED = JIESU_TOKEN="$${JIESU_TOKEN:-$$($(PY) -m services token --role phone_system --days 1)}"
LOCKING := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help run demo test prove bench load locust lint fmt contracts freeze migration service vendor token call-test dead replay stuck lock up down
.PHONY: image broker recover check-config reload upgrade rollback backup restore story kills rolling next drill unfit

help: ## 列出命令 list the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

run: .venv/ready ## 全部服务，内嵌 PostgreSQL  all services in one process, embedded PostgreSQL
	$(PY) -m services

demo: .venv/ready ## 八个故事与一个月 eight stories and a month, told by small real clients
	$(PY) -m examples.demo

# A process per core, each on a PostgreSQL and a RabbitMQ of its own, longest files first.
# ARGS=-n0: in one.
test: .venv/ready ## 全部测试 every tier of tests (ARGS="-m unit -k name")
	$(PY) -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

prove: .venv/ready ## 长时间证明 every property with ten thousand examples; fifty kills under fire
	HYPOTHESIS_PROFILE=prove JIESU_PROOFS=long $(PY) -m pytest -m "unit or fire" --hypothesis-show-statistics $(ARGS)
	HYPOTHESIS_PROFILE=prove $(PY) -m pytest tests/system/test_attack_surface.py

bench: .venv/ready .venv-load/ready ## 性能测量 measure: writes build/bench.json, prints a table (6 minutes)
	$(PY) -m tests.load.bench $(ARGS)

load: .venv/ready ## 加压 send load (URL=http://… RATE=20 SECONDS=30, or CSV=… SPEED=60)
	@$(SIGNED) $(PY) -m tests.load $(if $(URL),--url '$(URL)') $(if $(RATE),--rate '$(RATE)') \
		$(if $(SECONDS),--seconds '$(SECONDS)') $(if $(CSV),--csv '$(CSV)') \
		$(if $(SPEED),--speed '$(SPEED)') $(ARGS)

locust: .venv-load/ready ## 用 Locust 加压 the same load from locust (URL=… ARGS="--headless …")
	@$(SIGNED) PYTHONPATH=. .venv-load/bin/locust --locustfile tests/load/locustfile.py \
		$(if $(URL),--host '$(URL)') $(ARGS)

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
	$(PY) -m tests.fixtures.samples

freeze: .venv/ready ## 冻结本版契约 at a release only: what the next one is held to
	$(PY) -m tests.fixtures.freeze

migration: .venv/ready ## 生成迁移 write a service's next migration from its models (SERVICE=tracker NAME=add_language)
	@$(PY) -m services migration '$(SERVICE)' '$(NAME)'
	@.venv/bin/ruff format --quiet 'services/$(SERVICE)/migrations'

service: .venv/ready ## 新建服务 write the files of an empty service (NAME=archive)
	@$(PY) -m tests.fixtures.empty_service '$(NAME)'

vendor: .venv/ready ## 更新第三方页面文件 renew Swagger UI from npm, checked (ARGS=5.35.0)
	$(PY) -m operations.vendor $(ARGS)

token: .venv/ready ## 签发令牌 sign a token (ARGS="--role unit --unit HC")
	@$(PY) -m services token $(ARGS)

# The secret of the containers when there are any, else the embedded system's.
call-test: .venv/ready ## 试呼电话系统 send a phone system a signed test call (URL=http://…)
	@$(OPERATE) call-test '$(URL)'

dead: .venv/ready ## 列出失败的事实 list the facts that failed for good
	@$(OPERATE) dead $(ARGS)

replay: .venv/ready ## 重放失败的事实 hand them to their service again
	@$(OPERATE) replay $(ARGS)

stuck: .venv/ready ## 晨检 what has not moved in time, why, and what helps (ARGS=--json)
	@$(OPERATE) stuck $(ARGS)

image: .venv/ready ## 构建镜像 build the image all services run, named after the revision
	@$(PY) -m operations.containers.image

up: .venv/ready ## 容器部署 Docker Compose: a gateway, one container per service, postgres, rabbitmq
	@$(PY) -m operations.containers.up

check-config: .venv/ready ## 检查规则 every fault of the county's files (ARGS=folder)
	@$(PY) -m services check-config $(ARGS)

# The folder is checked, then every running process takes it up, or none does.
reload: .venv/ready ## 换用新规则 take up changed rules without a restart
	@$(PY) -m operations.containers.reload $(ARGS)

broker: .venv/ready ## 更新消息代理 give the running broker new units' users and queues, new facts' rights
	@$(PY) -m operations.containers.environment

recover: .venv/ready ## 抄回密钥 write a lost .env again from the containers that are there
	@$(PY) -m operations.containers.environment --recover

down: .venv/ready ## 停止容器 stop Docker Compose; the data stay
	@$(PY) -m operations.containers.up --down

upgrade: .venv/ready ## 滚动升级 replace running containers by this version, or by IMAGE=… (ARGS="intake")
	@$(PY) -m operations.containers.upgrade $(if $(IMAGE),--image '$(IMAGE)') $(ARGS)

rollback: .venv/ready ## 退回上一版本 replace running containers by the release before
	@$(PY) -m operations.containers.upgrade --back $(ARGS)

backup: .venv/ready ## 备份 all databases as of one moment (ARGS=folder)
	@$(PY) -m operations.containers.backup $(ARGS)

restore: .venv/ready ## 恢复 a backup into empty volumes (ARGS=folder)
	@$(PY) -m operations.containers.restore $(ARGS)

story: .venv/ready ## 容器中的七个故事 seven of the stories on containers of their own
	@$(PY) -m operations.containers.story

kills: .venv/ready ## 依次杀死容器 two replicas of each service; one of each, the gateway and both servers are killed in turn
	@$(PY) -m operations.containers.kills

rolling: .venv/ready ## 演练滚动升级 from the last release to this tree under load, counted (FROM=revision)
	@$(PY) -m operations.containers.rolling $(if $(FROM),--from '$(FROM)') $(ARGS)

next: .venv/ready ## 演练下一版本 a made-up next release rolled in, back and in again under load
	@$(PY) -m operations.containers.next_release

drill: .venv/ready ## 演练备份恢复 lose the disks, restore, count what is lost
	@$(PY) -m operations.containers.drill

lock: .venv/ready ## 重新锁定依赖 resolve the dependencies again (ARGS=--upgrade)
	$(LOCKING) $(ARGS) --extra embedded --extra suggest --group dev pyproject.toml \
		--output-file requirements.lock
	$(LOCKING) $(ARGS) --constraints requirements.lock pyproject.toml \
		--output-file requirements-image.lock
	$(LOCKING) $(ARGS) --group load --output-file requirements-load.lock

# locust and what the sweep is measured beside have an environment of their own: nothing else here
# needs a fifth of what they bring.
.venv-load/ready: requirements-load.lock | .venv/ready
	.venv/bin/uv venv --quiet --clear .venv-load
	VIRTUAL_ENV=.venv-load .venv/bin/uv pip sync --quiet --require-hashes requirements-load.lock
	@touch $@

# Made again, too, where it fits no longer: in a copy of this folder, or after its Python has gone.
.venv/ready: requirements.lock setup.sh $(shell ./setup.sh --fits || echo unfit)
	@PYTHON='$(PYTHON)' ./setup.sh
